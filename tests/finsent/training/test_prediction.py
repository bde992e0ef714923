from __future__ import annotations

from pathlib import Path

import pytest

from finsent.training.teachers import run_model
from tests import tiny

TEXTS = [row["text"] for row in tiny.make_rows()]


def test_a_teacher_answers_alike_in_any_order(teacher_release: Path) -> None:
    assert run_model(teacher_release, TEXTS[::-1]) == pytest.approx(
        run_model(teacher_release, TEXTS)[::-1], abs=1e-5
    )

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from finsent.errors import FinsentError
from finsent.training import teachers
from finsent.training.teachers import ask_teachers, remember_logits, run_model
from tests import tiny

TEXTS = [row["text"] for row in tiny.make_rows()]


def test_teachers_probabilities_are_averaged_after_the_temperature(teacher_release: Path) -> None:
    logits = run_model(teacher_release, TEXTS)
    exponential = np.exp(logits / 2)
    expected = exponential / exponential.sum(axis=1, keepdims=True)
    assert ask_teachers([teacher_release, teacher_release], TEXTS, tiny.LABELS, 2.0) == pytest.approx(
        expected
    )


def test_a_teacher_with_other_labels_is_refused(teacher_release: Path) -> None:
    with pytest.raises(FinsentError, match=r"the teacher has the labels .*, the recipe has \['up', 'down'\]"):
        ask_teachers([teacher_release], TEXTS, ["up", "down"], 1.0)


def test_a_text_is_asked_once(teacher_release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def run(folder: Path, texts: list[str], bf16: bool) -> np.ndarray:
        asked.extend(texts)
        return run_model(folder, texts, bf16)

    monkeypatch.setattr(teachers, "run_model", run)
    first = remember_logits(teacher_release, TEXTS[:4])
    again = remember_logits(teacher_release, [TEXTS[2], *TEXTS[:6], TEXTS[2]])
    assert sorted(asked) == sorted(TEXTS[:6])
    assert (again[1:5] == first).all()
    assert (again[[0, 7]] == first[2]).all()


def test_answers_of_a_killed_student_are_kept(teacher_release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def run(folder: Path, texts: list[str], bf16: bool) -> np.ndarray:
        if len(asked) == 4:
            raise OSError("killed")
        asked.extend(texts)
        return run_model(folder, texts, bf16)

    monkeypatch.setattr(teachers, "run_model", run)
    monkeypatch.setattr(teachers, "PORTION", 2)
    with pytest.raises(OSError, match="killed"):
        remember_logits(teacher_release, TEXTS[:6])
    first = set(asked)
    asked.clear()
    remember_logits(teacher_release, TEXTS[:6])
    assert set(asked) == set(TEXTS[:6]) - first


@pytest.mark.parametrize("place", [0, 9, 30, 120, -30])
def test_answers_that_cannot_be_read_are_asked_again(place: int, teacher_release: Path) -> None:
    expected = remember_logits(teacher_release, TEXTS[:4])
    (file,) = teacher_release.parent.glob("answers-*.npz")
    damaged = bytearray(file.read_bytes())
    damaged[place] ^= 0xFF
    file.write_bytes(damaged)
    assert (remember_logits(teacher_release, TEXTS[:4]) == expected).all()


def test_each_precision_has_its_own_answers(teacher_release: Path) -> None:
    exact, coarse = (remember_logits(teacher_release, TEXTS[:4], bf16=bf16) for bf16 in (False, True))
    assert (exact != coarse).any()
    assert len(list(teacher_release.parent.glob("answers-*.npz"))) == 2


def test_students_of_one_time_wait_for_each_other(
    teacher_release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def run(folder: Path, texts: list[str], bf16: bool) -> np.ndarray:
        asked.extend(texts)
        time.sleep(0.2)
        return run_model(folder, texts, bf16)

    monkeypatch.setattr(teachers, "run_model", run)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(
            lambda texts: remember_logits(teacher_release, texts), (TEXTS[:6], TEXTS[:6])
        )
    assert sorted(asked) == sorted(TEXTS[:6])
    assert (first == second).all()


def test_answers_belong_to_the_weights(teacher_release: Path) -> None:
    remember_logits(teacher_release, TEXTS[:4])
    other = np.full((4, 3), 7.0)
    weights = teacher_release / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")  # another digest
    assert len(list(teacher_release.parent.glob("answers-*.npz"))) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(teachers, "run_model", lambda folder, texts, bf16: other)
        assert (remember_logits(teacher_release, TEXTS[:4]) == other).all()

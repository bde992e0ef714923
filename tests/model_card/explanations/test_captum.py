"""Our integrated gradients beside captum's, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.environments import packages_on_top
from inference.classifier import Classifier
from model_card.explanations.gradients import STEPS, Gradients, cut_pieces

HERE = Path(__file__).parent
TEXT = "déjà vu $AAPL " * 10  # of which the tiny model is less certain than of headlines


@pytest.mark.slow
def test_integrated_gradients_are_those_of_captum(tiny_release: Path) -> None:
    pieces = cut_pieces(Classifier(tiny_release), TEXT)
    asked = {"model": str(tiny_release), "ids": pieces.ids.tolist(), "added": pieces.added.tolist()}
    packages = packages_on_top(HERE / "requirements-captum.txt")
    largest = 0.0
    for label in range(3):
        done = subprocess.run(
            [sys.executable, str(HERE / "captum_effects.py")],
            input=json.dumps(asked | {"label": label, "steps": STEPS}),
            capture_output=True, text=True, check=True, timeout=200,
            env={**os.environ, "PYTHONPATH": str(packages)},
        )  # fmt: skip
        ours = Gradients(tiny_release).integrate_part(pieces, label, 0, 1, STEPS)
        assert ours == pytest.approx(json.loads(done.stdout), abs=1e-6)
        largest = max(largest, abs(ours).max())
    assert largest > 1e-4  # else all of them are zeros

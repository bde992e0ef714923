"""What runtimes answer, as arrays in the order of a release's labels, and whether two of them agree."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finsent.release import read_labels
from tests.runtimes.texts import TEXTS

HERE = Path(__file__).parent
FP32, INT8 = "model.onnx", "model_quantized.onnx"
Scores = NDArray[np.float64]


def to_array(scores: list[dict[str, float]], release: Path) -> Scores:
    return np.array([[row[label] for label in read_labels(release)] for row in scores])


def assert_same(found: Scores, expected: Scores) -> None:
    worst = np.abs(found - expected).max(axis=1)
    assert worst.max() <= 1e-4, TEXTS[int(worst.argmax())][:60]
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()


def ask(classifier: Any, texts: list[str], release: Path, **options: Any) -> Scores:
    found = classifier(texts, top_k=None, **options)
    return to_array([{one["label"]: one["score"] for one in row} for row in found], release)


def run_script(command: list[str]) -> Any:
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        command,
        input=json.dumps(TEXTS),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)

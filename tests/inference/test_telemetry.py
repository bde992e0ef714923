"""onnxruntime keeps an id of the machine and reports sessions by default; nothing of ours lets it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from finsent import REPOSITORY

SESSION = "onnxruntime.InferenceSession(sys.argv[1] + '/onnx/model.onnx')"


def files_after(code: str, release: Path, home: Path) -> list[Path]:
    """Run code in a home of its own, knowing nothing of this process; return what it left there.

    onnxruntime is silent by itself where a variable such as CI says that no person is there.
    """
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
    subprocess.run([sys.executable, "-c", code, str(release)], env=environment, check=True)
    return [path for path in home.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "code",
    [
        "import sys; from inference.classifier import Classifier; Classifier(sys.argv[1])('x')",
        f"import sys, finsent, onnxruntime; {SESSION}",
    ],
)
def test_a_session_leaves_no_id_of_the_machine(code: str, tiny_release: Path, tmp_path: Path) -> None:
    assert files_after(code, tiny_release, tmp_path) == []


def test_onnxruntime_alone_would(tiny_release: Path, tmp_path: Path) -> None:
    """Where this fails, onnxruntime has changed, and the switch may have another name."""
    assert files_after(f"import sys, onnxruntime; {SESSION}", tiny_release, tmp_path) != []

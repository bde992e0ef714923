from __future__ import annotations

import subprocess
import sys

import pytest

from tests.tiny import ROOT


@pytest.mark.parametrize("name", ["card", "lint", "snippets"])
def test_each_folder_that_has_a_command_is_run_by_its_name(name: str) -> None:
    command = [sys.executable, "-m", f"model_card.{name}", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert f"python -m model_card.{name}" in done.stdout

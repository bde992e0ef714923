from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from finsent.processes import run_alone


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_what_a_command_leaves_running_ends_with_it(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_alone(["bash", "-c", "sleep 600 & echo $! > pid; wait"], tmp_path, dict(os.environ), 1)
    pid = int((tmp_path / "pid").read_text(encoding="utf-8"))
    deadline = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_nothing_can_be_asked_and_what_was_said_comes_back(tmp_path: Path) -> None:
    done = run_alone(["bash", "-c", "cat; pwd; echo told >&2; exit 3"], tmp_path, dict(os.environ), 30)
    assert (done.returncode, done.stdout, done.stderr) == (3, f"{tmp_path}\n", "told\n")

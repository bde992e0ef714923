"""Processes that nobody can be asked through, and of which nothing is left when they have ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

GRACE = 2.0  # seconds between being asked to end and being killed


def run_alone(
    command: Sequence[str], folder: Path, environment: dict[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, and end whatever it left running in its session.

    Nothing can be asked of whoever sits at the terminal. Raises subprocess.TimeoutExpired.
    """
    with subprocess.Popen(
        command, cwd=folder, env=environment, start_new_session=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace",
    ) as process:  # fmt: skip
        try:
            said = process.communicate(timeout=timeout)
        finally:
            _end_session(process)
    return subprocess.CompletedProcess(command, process.returncode, *said)


def _end_session(process: subprocess.Popen[str]) -> None:
    """Ask first: what runs in there may have sessions of its own to end."""
    with contextlib.suppress(ProcessLookupError):  # nobody is left
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(GRACE)
        os.killpg(process.pid, signal.SIGKILL)

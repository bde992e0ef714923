"""Processes that the Hub runs for others: nothing of its own environment, limits, and no survivor."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import psutil

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE")
_MARK = "LOCAL_HUB_ROOT"
_END_SECONDS = 15.0


@dataclass(frozen=True)
class Limits:
    """What a process and everything below it may use; `seconds` None means as long as it likes."""

    memory: int
    """Bytes of data for each process, and of memory for all of them unless `memory_together` says more."""
    processes: int
    seconds: float | None = None
    grace: float = 0.0
    """Seconds between SIGTERM and SIGKILL."""
    memory_together: int | None = None


def clean_environment(root: Path, home: Path, given: dict[str, str] | None = None) -> dict[str, str]:
    """The few variables that every program needs, the given ones, and the mark of this Hub's processes.

    By the mark a later Hub finds what was left running.
    """
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    own = {"HOME": str(home), _MARK: str(root.absolute()), "PYTHONUNBUFFERED": "1"}
    return {**kept, **(given or {}), **own}


def own_packages() -> str:
    """Where this Python finds its packages, for PYTHONPATH: a clean environment would lose the user's own."""
    return os.pathsep.join(path for path in sys.path if path)


class Supervised:
    """A command under a supervisor that ends it with all its descendants, at the latest with the Hub."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: dict[str, str],
        limits: Limits,
        log: IO[bytes],
        pass_fds: Sequence[int] = (),
    ) -> None:
        """OSError if the supervisor cannot be started; what its command says or lacks stands in the log."""
        job = {"command": list(command), "folder": str(folder), "environment": environment}
        line = json.dumps({**job, **asdict(limits), "pass_fds": list(pass_fds)}).encode() + b"\n"
        mark = {name: environment[name] for name in (_MARK, "PATH") if name in environment}
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-P",
                str(_SUPERVISOR),
            ],  # -P: our modules must not hide the packages of that name
            env={**mark, "PYTHONPATH": own_packages()},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=tuple(pass_fds),
            start_new_session=True,
        )
        assert self._process.stdin is not None
        self._input = self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            self._input.write(line)
            self._input.flush()

    @property
    def code(self) -> int | None:
        """The exit code, None while it runs; 125 means that it was over a limit."""
        return self._process.poll()

    def ask_to_end(self) -> None:
        """Begin the end, without waiting for it."""
        with contextlib.suppress(BrokenPipeError):
            self._input.close()

    def end(self) -> None:
        """Return when the command and everything below it are gone."""
        self.ask_to_end()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        self._process.kill()
        self._process.wait()

    def wait(self) -> int:
        """The exit code, once there is one."""
        code = self._process.wait()
        self.ask_to_end()
        return code


def end_leftovers(root: Path) -> None:
    """Kill what a killed Hub's killed supervisors left running; the mark proves that it is of this root."""
    mark, deadline = str(root.absolute()), time.monotonic() + _END_SECONDS
    while time.monotonic() < deadline:
        found = [process for process in psutil.process_iter() if _mark_of(process) == mark]
        if not found:
            return
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(found, timeout=1)


def _mark_of(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error, OSError):
        if process.status() != psutil.STATUS_ZOMBIE:
            return str(process.environ().get(_MARK))
    return ""

"""Runs one command for the Hub and ends with everything that the command started.

A program of its own: `python supervisor.py` reads its job as one line of JSON on standard input and then
waits for the end of that input. The Hub holds the other end, so that the end comes when the Hub wants it and
when the Hub is gone, whatever killed it. On Linux orphans come to this process instead of to init, so that
what detached itself is found, too.

The job: `command`, `folder`, `environment`, `pass_fds`, and the limits as `local_hub.processes` has them.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from typing import Any

import psutil

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_PAUSE_SECONDS = 0.5
_KILL_SECONDS = 10.0  # for what may not be killed, like a program of another user
_LOG_BYTES = 64 << 20
_ENDED, _OVER_LIMIT, _NOT_STARTED = 143, 125, 126  # as shells and container tools have them
_LIBC = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    """Linux only; elsewhere the process group is all that is known of the descendants."""
    if sys.platform == "linux":
        _LIBC.prctl(option, value, 0, 0, 0)


def _limit_child(memory: int) -> None:
    """Limits of the command itself; runs in the child, between fork and exec."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):  # more than the hard limit of whoever started the Hub
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def _descendants() -> list[psutil.Process]:
    """Everything that was started below this process and still runs."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _memory(processes: list[psutil.Process]) -> int:
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
    return total


def _signal_all(number: signal.Signals) -> None:
    for process in _descendants():
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def end_all(grace: float) -> None:
    """SIGTERM, a while to tidy up, then stop and kill until nobody is left."""
    _signal_all(signal.SIGTERM)
    _wait_until_gone(grace, ())
    # Stopped first: what multiplies faster than it is killed cannot do so while it stands still.
    _wait_until_gone(_KILL_SECONDS, (signal.SIGSTOP, signal.SIGKILL))


def _wait_until_gone(seconds: float, signals: tuple[signal.Signals, ...]) -> None:
    deadline = time.monotonic() + seconds
    while _descendants() and time.monotonic() < deadline:
        for number in signals:
            _signal_all(number)
        _reap()
        time.sleep(0.02)


class Watch:
    """What the job may use, looked at twice a second."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._memory, self._processes = job["memory_together"] or job["memory"], job["processes"]
        self._deadline = time.monotonic() + job["seconds"] if job["seconds"] else None

    def problem(self) -> str | None:
        """The limit that was passed, as a sentence; None while all is well."""
        processes = _descendants()
        if len(processes) > self._processes:
            return f"More than {self._processes} processes were running."
        if _memory(processes) > self._memory:
            return f"More than {self._memory} bytes of memory were used."
        if self._deadline is not None and time.monotonic() > self._deadline:
            return "The time limit was reached."
        return None


def _trim_log() -> None:
    """Start the log anew where it grew too large: nobody reads on from there, and disks are finite."""
    with contextlib.suppress(OSError):
        if os.fstat(1).st_size > _LOG_BYTES:
            os.ftruncate(1, 0)


def _wake_on_exit() -> int:
    """A descriptor that can be read whenever a child has ended."""
    wakes, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return wakes


def _wait(child: subprocess.Popen[bytes], watch: Watch, wakes: int) -> int:
    """Wait for the command, the end of the Hub or a limit; returns the exit code to end with."""
    parent = os.getppid()
    while child.poll() is None:
        ready, _, _ = select.select([0, wakes], [], [], _PAUSE_SECONDS)
        if wakes in ready:
            os.read(wakes, 4096)
        if (0 in ready and not os.read(0, 4096)) or os.getppid() != parent:
            return _ENDED
        problem = watch.problem()
        if problem:
            print(f"Ended by the Hub: {problem}", file=sys.stderr, flush=True)
            return _OVER_LIMIT
        _trim_log()
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def main() -> int:
    """Run the job of standard input; returns the exit code of the command."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 1 << 20)
        if not piece:
            return _ENDED
        line += piece
    job = json.loads(line)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # only the end of the input counts; handlers end with exec
    wakes = _wake_on_exit()
    try:
        child = subprocess.Popen(
            job["command"],
            cwd=job["folder"],
            env=job["environment"],
            stdin=subprocess.DEVNULL,
            pass_fds=job["pass_fds"],
            start_new_session=True,
            preexec_fn=lambda: _limit_child(job["memory"]),
        )
        for descriptor in job["pass_fds"]:
            os.close(descriptor)  # its end must be seen at the other side
        return _wait(child, Watch(job), wakes)
    except OSError as error:
        print(f"Not started: {error.strerror}", file=sys.stderr, flush=True)
        return _NOT_STARTED
    finally:
        end_all(job["grace"])


if __name__ == "__main__":
    sys.exit(main())

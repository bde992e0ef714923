"""Processes that get nothing of ours: an environment made from nothing, no input, an end for all of them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

GRACE = 2.0  # seconds between being asked to end and being killed
# Where programs and certificates are, how to write, how many threads: no name here ever holds a secret.
KEPT = (
    "PATH", "LD_LIBRARY_PATH", "NODE_PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "PYTHONHASHSEED",
)  # fmt: skip
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")  # an address in them may hold a password


def bare_environment(home: Path, proxies: bool = False) -> dict[str, str]:
    """Return an environment made from nothing, with `home` as home and as the place of temporary files."""
    names = (*KEPT, *PROXIES, *map(str.lower, PROXIES)) if proxies else KEPT
    kept = {name: os.environ[name] for name in names if name in os.environ}
    quiet = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1"}
    ours = {"HOME": str(home), "TMPDIR": str(home), "HF_HOME": str(home), "TOKENIZERS_PARALLELISM": "false"}
    return kept | ours | quiet


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

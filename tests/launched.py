"""Stories started by torchrun, as a person starts them, on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from tests.tiny import ROOT

LOOPBACK = {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def launched(processes: int, *command: str) -> list[str]:
    """Return a command that starts a script, or `-m` and a module, in several processes."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"]
    return [*launcher, "--nproc-per-node", str(processes), *command]


def settings() -> dict[str, Any]:
    """Return what the launcher's process takes beside its command."""
    return {"cwd": ROOT, "env": os.environ | LOOPBACK, "text": True}


def run(processes: int, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in several processes to its end."""
    return subprocess.run(
        launched(processes, *command), capture_output=True, check=False, timeout=240, **settings()
    )

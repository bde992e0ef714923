"""How much memory this process has taken at most."""

from __future__ import annotations

import resource
import sys


def peak_memory() -> int:
    """Return the largest resident size so far, in bytes; that of processes it started is not in it."""
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found if sys.platform == "darwin" else found * 1024

"""How many cores there are for this process, also in a container."""

from __future__ import annotations

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def count_cores(cgroup: Path = CGROUP) -> int:
    """Return the cores that this process may run on, at most those of its container's quota, at least 1.

    A quota (`--cpus`, a limit of Kubernetes) does not show in the affinity: on a machine of 64 cores, a
    container with two of them would start 64 workers.
    """
    own = len(os.sched_getaffinity(0))
    quota = _read_quota(cgroup)
    return own if quota is None else max(1, min(own, math.ceil(quota)))


def _read_quota(cgroup: Path) -> float | None:
    """Return cores, a fraction too; None where nothing bounds them. Version 2 of cgroups first, then 1."""
    if words := _read_words(cgroup / "cpu.max"):
        quota, period = words
    else:
        quota = "".join(_read_words(cgroup / "cpu" / "cpu.cfs_quota_us"))
        period = "".join(_read_words(cgroup / "cpu" / "cpu.cfs_period_us"))
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None  # else "max" or -1


def _read_words(path: Path) -> list[str]:
    return path.read_text(encoding="ascii").split() if path.is_file() else []

"""What processes of ours take from the caller's environment: a few names, so that an empty home is empty."""

from __future__ import annotations

import ipaddress
import os
import site
from pathlib import Path
from urllib.parse import urlsplit

# Where programs and libraries are, certificates, threads. No cache, no token, no switch of a library.
INHERITED = (
    *("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "NODE_PATH"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
    *(
        "TZ",
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "OPENBLAS_CORETYPE",
        "CUDA_VISIBLE_DEVICES",
    ),
)
# What torchrun tells its processes; one that they start by themselves would wait for the others' call.
LAUNCHER = ("RANK", "WORLD_SIZE", "LOCAL_", "GROUP_", "ROLE_", "MASTER_", "TORCHELASTIC_")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")


def environment_in(home: Path, endpoint: str | None = None) -> dict[str, str]:
    """Return the environment of a process whose home, caches and temporary files are in `home`.

    Proxies are named where it talks to a Hub at `endpoint` that is not on this machine.
    """
    names = list(INHERITED)
    if endpoint is not None and not is_loopback(endpoint):
        names += [spelling for name in PROXIES for spelling in (name, name.lower())]
    kept = {name: os.environ[name] for name in names if name in os.environ}
    own = {"HOME": str(home), "HF_HOME": str(home), "TMPDIR": str(home)}
    own |= {"LC_ALL": "C", "PYTHONUTF8": "1"}  # bash warns of a locale that is not there
    return {**kept, **own, "PYTHONUSERBASE": site.getuserbase()}  # packages of the user are found by the home


def environment_alone() -> dict[str, str]:
    """Return the environment without what a launcher put there, for a process that is none of its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(LAUNCHER)}


def is_loopback(address: str) -> bool:
    """Tell whether a URL leads to this machine, where no proxy can help."""
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def offline_switches(*names: str) -> list[str]:
    """Return which of these variables, by default all that keep the libraries offline, are switched on."""
    return [
        name for name in names or OFFLINE if os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE")
    ]


def go_online() -> str:
    """Return what to do where a library could not reach the Hub: unset what keeps it offline, by name."""
    switches = offline_switches()
    return f"unset {' and '.join(switches)}" if switches else "go online"

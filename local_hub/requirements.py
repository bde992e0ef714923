"""A Space's Python packages: satisfied by the running environment, or installed into one of their own."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import IO, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_MAX_BYTES, _MAX_LINES, _MAX_LINE = 1 << 20, 2_000, 1_000
# Where pip finds packages, as whoever runs the Hub has set it up; a build needs nothing else of him.
_PIP = (
    "PIP_CERT", "PIP_CONFIG_FILE", "PIP_CONSTRAINT", "PIP_DEFAULT_TIMEOUT", "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_NO_INDEX", "PIP_TRUSTED_HOST", "HTTP_PROXY", "HTTPS_PROXY",
    "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
_ARCHIVE = re.compile(
    r"\.(?:whl|zip|tgz|tbz|txz|tlz|tar(?:\..*)?)$", re.IGNORECASE
)  # pip takes it for a file

Run = Callable[[list[str], Path], int]
"""Runs a command in a folder, with limits and without the Hub's environment; gives its exit code."""


class BuildError(RuntimeError):
    """The requirements cannot be installed; the log tells why."""


def pip_settings() -> dict[str, str]:
    """The variables that lead pip to its packages; a configuration file of the user's is named among them."""
    found = {name: os.environ[name] for name in _PIP if name in os.environ}
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    file = home / "pip" / "pip.conf"
    return {**({"PIP_CONFIG_FILE": str(file)} if file.is_file() else {}), **found}


def wanted_packages(folder: Path, card: dict[str, Any]) -> list[str]:
    """The lines of requirements.txt, and gradio in the version that the card names; BuildError for others."""
    path = folder / "requirements.txt"
    content = path.read_bytes() if path.is_file() else b""
    lines = content.decode("utf-8-sig", "replace").splitlines()
    if len(content) > _MAX_BYTES or len(lines) > _MAX_LINES:
        raise BuildError(f"requirements.txt is over {_MAX_LINES} lines or {_MAX_BYTES} bytes.")
    wanted = [_checked(line, f"requirements.txt, line {number}") for number, line in enumerate(lines, 1)]
    if card.get("sdk") == "gradio":
        version = card.get("sdk_version")
        wanted.append(_checked(f"gradio=={version}" if version else "gradio", "sdk_version in README.md"))
    return [line for line in wanted if line]


def _checked(line: str, where: str) -> str:
    """The requirement as packaging writes it, "" for a comment: a name, extras, versions, a marker.

    Everything else that pip takes (addresses, repositories, paths, options, variables) reaches beyond the
    index that whoever runs this Hub has chosen.
    """
    text = "" if line.lstrip().startswith("#") else line.partition(" #")[0].strip()
    if not text:
        return ""
    try:
        requirement = Requirement(text) if len(text) <= _MAX_LINE else None
    except (InvalidRequirement, ValueError):  # ValueError: a number of thousands of digits
        requirement = None
    if requirement is None or requirement.url or _ARCHIVE.search(requirement.name):
        raise BuildError(
            f"{where}: {text[:100]!r} is refused. Name a package, with versions if you like "
            "(name[extra]>=1,<2; marker); addresses, repositories, paths and options of pip are not taken."
        )
    return str(requirement)


def satisfied_here(wanted: list[str]) -> bool:
    """Whether the running environment has every package in a fitting version."""
    return all(_satisfied(Requirement(line)) for line in wanted)


def _satisfied(requirement: Requirement) -> bool:
    try:
        if requirement.marker and not requirement.marker.evaluate():
            return True
        version = metadata.version(canonicalize_name(requirement.name))
    except (metadata.PackageNotFoundError, ValueError):  # ValueError: a marker that compares what it cannot
        return False
    return requirement.specifier.contains(version, prereleases=True)


class Environments:
    """The environments that were built, each named by the hash of what it holds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def interpreter_for(self, wanted: list[str], run: Run, log: IO[bytes]) -> Path:
        """The Python that has the packages: this one, or that of an environment of their own.

        BuildError when pip fails. An environment counts only once its marker stands: a kill leaves none half.
        """
        if satisfied_here(wanted):
            log.write(b"Requirements are satisfied by the running environment.\n")
            return Path(sys.executable)
        key = hashlib.sha256("\n".join([sys.version, *sorted(wanted)]).encode()).hexdigest()[:20]
        folder = self._folder / key
        with self._locks[key]:
            if not (folder / "complete").exists():
                _install(folder, wanted, run)
        return folder / "bin" / "python"


def _install(folder: Path, wanted: list[str], run: Run) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    listed = folder / "requirements.txt"
    listed.write_text("\n".join(wanted) + "\n", encoding="utf-8")
    pip = [str(folder / "bin" / "python"), "-I", "-m", "pip", "install", "--no-input", "--quiet"]
    for command in ([sys.executable, "-I", "-m", "venv", str(folder)], [*pip, "-r", str(listed)]):
        if run(command, folder):
            raise BuildError("The requirements could not be installed; see the build log.")
    (folder / "complete").touch()

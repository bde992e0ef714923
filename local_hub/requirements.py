"""A Space's Python packages: satisfied by the running environment, or installed into one of their own."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import IO, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_INSTALL_SECONDS = 1800


class BuildError(RuntimeError):
    """The requirements cannot be installed; the log tells why."""


def wanted_packages(folder: Path, card: dict[str, Any]) -> list[str]:
    """The lines of requirements.txt, and gradio in the version that the card names."""
    path = folder / "requirements.txt"
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    lines = [line.partition(" #")[0].strip() for line in text.splitlines()]
    wanted = [line for line in lines if line and not line.startswith("#")]
    if card.get("sdk") == "gradio":
        version = card.get("sdk_version")
        wanted.append(f"gradio=={version}" if version else "gradio")
    return wanted


def satisfied_here(wanted: list[str]) -> bool:
    """Whether the running environment has every package in a fitting version."""
    return all(_satisfied(line) for line in wanted)


def _satisfied(line: str) -> bool:
    try:
        requirement = Requirement(line)
    except InvalidRequirement:  # an option, a URL without a name: only pip can tell
        return False
    if requirement.marker and not requirement.marker.evaluate():
        return True
    if requirement.url:
        return False
    try:
        version = metadata.version(canonicalize_name(requirement.name))
    except metadata.PackageNotFoundError:
        return False
    return requirement.specifier.contains(version, prereleases=True)


def interpreter_for(wanted: list[str], environments: Path, log: IO[bytes]) -> Path:
    """The Python that has the packages: this one, or that of an environment named by their hash.

    BuildError when pip fails. An environment counts only once its marker stands: a kill leaves none half.
    """
    if satisfied_here(wanted):
        log.write(b"Requirements are satisfied by the running environment.\n")
        return Path(sys.executable)
    key = hashlib.sha256("\n".join([sys.version, *sorted(wanted)]).encode()).hexdigest()[:20]
    folder = environments / key
    python, done = folder / "bin" / "python", folder / "complete"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        listed = folder / "requirements.txt"
        listed.write_text("\n".join(wanted) + "\n", encoding="utf-8")
        _run([sys.executable, "-m", "venv", str(folder)], log)
        install = ["-m", "pip", "install", "--no-input", "--quiet", "-r", str(listed)]
        _run([str(python), *install], log)
        done.touch()
    return python


def _run(command: list[str], log: IO[bytes]) -> None:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=_INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"Installing took longer than {_INSTALL_SECONDS} seconds.") from None
    if done.returncode:
        raise BuildError("The requirements could not be installed; see the build log.")

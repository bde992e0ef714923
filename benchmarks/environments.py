"""What a process beside ours needs: a Python or packages of node, made once in .envs/, and a free port."""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from finsent import REPOSITORY

ENVIRONMENTS = REPOSITORY / ".envs"


def python_environment(requirements: Path) -> Path:
    """Return the Python of an environment with these requirements, made when it is not there yet."""
    return _install(requirements, requirements.stem, [])


def packages_on_top(requirements: Path) -> Path:
    """Return a folder for the path of this Python: these requirements, and what they lack here."""
    ours = [path for path in map(Path, sys.path) if path.name == "site-packages"]
    ours = [path for path in ours if ENVIRONMENTS not in path.parents]  # which others may have put there
    return _site_packages(_install(requirements, f"{requirements.stem}-on-top", ours))


def _install(requirements: Path, name: str, beside: list[Path]) -> Path:
    """Return the Python of an environment; what lies in the folders `beside` it is not installed again."""
    folder = ENVIRONMENTS / f"{name}-{_digest(*_files(requirements))}"
    python = folder / "bin" / "python"
    with _made_once(folder) as is_new:
        if is_new:
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
            paths = "".join(f"{path}\n" for path in beside)
            (_site_packages(python) / "beside.pth").write_text(paths, encoding="utf-8")
            pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
            subprocess.run([*pip, "install", "--quiet", "-r", str(requirements)], check=True)
    return python


def _site_packages(python: Path) -> Path:
    ask = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    return Path(subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip())


@contextmanager
def _made_once(folder: Path) -> Iterator[bool]:
    """Hold a folder for one process at a time; yield whether it is to be made, and mark it as whole then."""
    ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
    whole = folder / ".complete"
    with FileLock(f"{folder}.lock"):
        if is_new := not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
        yield is_new
        whole.touch()


def _files(requirements: Path) -> list[Path]:
    """Return a file of requirements and those beside it that it names."""
    named = re.findall(r"(?m)^-r (\S+)$", requirements.read_text(encoding="utf-8"))
    return [requirements, *(requirements.with_name(name) for name in named)]


def node_environment(package: Path) -> Path:
    """Return a folder with the packages of package.json and its lock installed, without their scripts."""
    lock = package.with_name("package-lock.json")
    folder = ENVIRONMENTS / f"node-{package.parent.name}-{_digest(package, lock)}"
    with _made_once(folder) as is_new:
        if is_new:
            folder.mkdir(parents=True)
            for file in (package, lock):
                shutil.copy(file, folder)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            subprocess.run(command, cwd=folder, check=True)
    return folder


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]

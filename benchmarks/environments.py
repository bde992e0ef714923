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


def python_environment(requirements: Path, on_top: bool = False) -> Path:
    """Return the Python of an environment with these requirements, made when it is not there yet.

    With `on_top` it has the packages of this one, too, and only what they lack is installed.
    """
    folder = ENVIRONMENTS / f"{requirements.stem}-{_digest(*_files(requirements))}"
    python = folder / "bin" / "python"
    with _made_once(folder) as is_new:
        if is_new:
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            if on_top:
                _add_own_packages(python)
            install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]
            subprocess.run([*install, str(requirements)], check=True)
    return python


def package_folder(requirements: Path) -> Path:
    """Return a folder with these packages alone, for the path of a Python that has what they need."""
    folder = ENVIRONMENTS / f"{requirements.stem}-alone-{_digest(*_files(requirements))}"
    with _made_once(folder) as is_new:
        if is_new:
            install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            only = ["--no-deps", "--target", str(folder), "-r", str(requirements)]
            subprocess.run([*install, *only], check=True)
    return folder


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


def _add_own_packages(python: Path) -> None:
    """Let another Python find the packages of this one behind its own."""
    ask = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    folder = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    own = [path for path in sys.path if Path(path).name == "site-packages"]
    Path(folder, "own.pth").write_text("\n".join(own) + "\n", encoding="utf-8")


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

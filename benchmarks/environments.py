"""What a process beside ours needs: a Python or packages of node, made once in .envs/, and a free port."""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from finsent import REPOSITORY

ENVIRONMENTS = REPOSITORY / ".envs"


def python_environment(requirements: Path, on_top: bool = False) -> Path:
    """Return the Python of an environment with these requirements, made when it is not there yet.

    With `on_top` it has the packages of this one, too, and only what they lack is installed.
    """
    named = re.findall(r"(?m)^-r (\S+)$", requirements.read_text(encoding="utf-8"))
    files = [requirements, *(requirements.with_name(name) for name in named)]
    folder = ENVIRONMENTS / f"{requirements.stem}-{_digest(*files)}"
    python = folder / "bin" / "python"
    if not (folder / ".complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        if on_top:
            _add_own_packages(python)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]
        subprocess.run([*install, str(requirements)], check=True)
        (folder / ".complete").touch()
    return python


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
    if not (folder / ".complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for file in (package, lock):
            shutil.copy(file, folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=folder, check=True)
        (folder / ".complete").touch()
    return folder


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]

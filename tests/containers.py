"""Images built and run by podman, in a store of their own, on a base image made of Debian packages.

No registry is asked: mmdebstrap makes what stands in for python:3.11-slim. Nothing is installed here.
"""

from __future__ import annotations

import ast
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environments import free_port
from finsent import REPOSITORY

COMMANDS = ("podman", "runc", "skopeo", "mmdebstrap")  # each in the Debian package of its name
BASE = "localhost/python"
BASE_PACKAGES = (
    "python3,python3-venv,ca-certificates,dash,coreutils,findutils,sed,libc-bin,libstdc++6,libgomp1"
)
# As strict as an operator may be: another user than the image's, no capability, nothing but /tmp to write to.
STRICT = (
    *("--user", "12345:12345", "--cap-drop", "all", "--security-opt", "no-new-privileges"),
    *("--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp"),
)

RUNTIME = ("--runtime", "runc", "--cgroup-manager", "cgroupfs")  # crun refuses machines with both cgroups


def run_options(port: int) -> list[str]:
    """Return what a container needs on this machine and no reader's does: its network, and a free port."""
    limits = [
        "--ulimit=nofile=1024:1024",
        "--ulimit=nproc=1024:1024",
    ]  # podman asks for more
    return ["--network=host", *limits, f"--env=PORT={port}", f"--env=GRADIO_SERVER_PORT={port}"]


def why_not() -> str | None:
    """Say why there can be no container here; None when there can."""
    missing = [name for name in COMMANDS if shutil.which(name) is None]
    if missing:
        return f"the Debian packages {', '.join(missing)} are not installed (.ci/run installs them)"
    if os.geteuid() != 0:
        return "mmdebstrap and podman are used as root here"
    made = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, text=True)
    return f"this machine allows no namespaces: {made.stderr.strip()}" if made.returncode else None


@dataclass(frozen=True)
class Container:
    """One that runs; `address` is that of its server on this machine."""

    engine: Engine
    name: str
    address: str

    def is_healthy(self) -> bool:
        """Whether the image's own HEALTHCHECK says so; podman leaves it to systemd to ask regularly."""
        return self.engine.call("healthcheck", "run", self.name, check=False).returncode == 0

    def kill(self, signal: str) -> None:
        self.engine.call("kill", "--signal", signal, self.name)

    def wait(self) -> int:
        """Return the exit code."""
        return int(self.engine.call("wait", self.name).stdout)

    def run_python(self, code: str) -> subprocess.CompletedProcess[str]:
        return self.engine.call("exec", self.name, "python", "-c", code, check=False)

    def log(self) -> str:
        done = self.engine.call("logs", self.name)
        return done.stdout + done.stderr


@dataclass(frozen=True)
class Engine:
    """podman with a store in `folder`."""

    folder: Path

    @property
    def context(self) -> Path:
        return self.folder / "context"

    @property
    def store(self) -> list[str]:
        """Options of podman that name its store."""
        return ["--root", str(self.folder / "root"), "--runroot", str(self.folder / "run")]

    def call(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = ["podman", *self.store, *RUNTIME, *words]
        done = subprocess.run(
            command, cwd=self.context, capture_output=True, text=True, check=False, timeout=1500
        )
        assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done

    def check_out(self, release: Path) -> None:
        """Fill the context as a clone has it, with a release, readable by its owner alone."""
        command = ["git", "ls-files", "serving", "inference", "space", ".dockerignore"]
        listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
        for name in listed.stdout.splitlines():
            (self.context / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, self.context / name)
        shutil.copytree(release, self.context / "runs" / "quickstart" / "release")
        for path in self.context.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)

    def make_base(self) -> None:
        """Make the image that the Dockerfiles start from."""
        tar, hook = self.folder / "base.tar", "/usr/share/mmdebstrap/hooks/merged-usr"
        options = ["--quiet", "--variant=extract", f"--include={BASE_PACKAGES}", f"--hook-dir={hook}"]
        done = subprocess.run(["mmdebstrap", *options, "bookworm", str(tar)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        self.call("import", str(tar), BASE)
        tar.unlink()

    def build(self, dockerfile: str, tag: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Build a Dockerfile of the repository; whether that worked is for the caller to see."""
        where = ["--format", "docker", *self.build_options(), "-f", dockerfile, "-t", tag]
        return self.call("build", *where, *options, ".", check=False)

    def build_options(self) -> list[str]:
        """Return what a build needs on this machine and no reader's does."""
        here = ["--isolation", "chroot", "--network", "host", "--pull=never", f"--build-arg=BASE={BASE}"]
        return [*here, *self._package_index()]

    def size(self, image: str) -> int:
        """Return the bytes of an image, unpacked, its base included."""
        return int(self.call("image", "inspect", "--format", "{{.Size}}", image).stdout)

    @contextmanager
    def mounted(self, image: str) -> Iterator[Path]:
        """Yield the folder that holds the files of an image."""
        yield Path(self.call("image", "mount", image).stdout.strip())
        self.call("image", "unmount", image)

    def write_command(self, folder: Path, port: int) -> None:
        """Write a `podman` for the shell: on this store, with the base image, serving at `port`."""
        calls = [*map(shlex.quote, [str(shutil.which("podman")), *self.store, *RUNTIME])]
        text = f"""#!/bin/sh
word=$1; shift
case $word in
  build) set -- {shlex.join(self.build_options())} "$@";;
  run) set -- {shlex.join(run_options(port))} "$@";;
esac
exec {" ".join(calls)} "$word" "$@"
"""
        (folder / "podman").write_text(text, encoding="utf-8")
        (folder / "podman").chmod(0o755)

    @contextmanager
    def started(self, image: str, *arguments: str, options: tuple[str, ...] = ()) -> Iterator[Container]:
        """Run an image strictly, on a free port of this machine; it is healthy when the block begins."""
        port = free_port()
        where = ["--detach", *STRICT, *run_options(port), *options]
        done = self.call("run", *where, image, *arguments)
        container = Container(self, done.stdout.strip(), f"http://127.0.0.1:{port}")
        try:
            self._await(container)
            yield container
        finally:
            self.call("rm", "--force", "--time", "0", container.name)

    def _await(self, container: Container) -> None:
        until = time.monotonic() + 120
        while not container.is_healthy():
            assert time.monotonic() < until, container.log()
            time.sleep(0.2)

    def _package_index(self) -> list[str]:
        """Return options that give the build what pip is told on this machine, and the folders it names."""
        listed = subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
        )
        told = dict(line.split("=", 1) for line in listed.stdout.splitlines())
        settings = {key.rpartition(".")[2]: ast.literal_eval(value) for key, value in told.items()}
        settings.pop("constraint", None)
        configuration = self.folder / "pip.conf"
        lines = ["[global]", *(f"{key} = {value}" for key, value in settings.items())]
        configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
        words = " ".join(settings.values()).replace("file://", "").split()
        paths = {Path(word) for word in words if word.startswith("/") and Path(word).exists()}
        # an index names its files relative to itself, beside it
        folders = {path.parent if path.name == "simple" else path for path in paths}
        volumes = [word for path in sorted(folders) for word in ("--volume", f"{path}:{path}:ro")]
        return ["--secret", f"id=pip,src={configuration}", *volumes]

    def remove(self) -> None:
        """Give the disk back: podman mounts within its store."""
        self.call("rm", "--all", "--force", "--time", "0", check=False)
        self.call("image", "rm", "--all", "--force", check=False)
        subprocess.run(["umount", str(self.folder / "root" / "overlay")], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

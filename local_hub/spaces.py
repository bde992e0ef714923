"""Spaces that run: a pushed Gradio Space becomes a process, with its variables, its secrets and its log."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local_hub.catalogue import Shelf
from local_hub.errors import HubError
from local_hub.exports import export_files
from local_hub.hub import Hub
from local_hub.info import metadata_of
from local_hub.requirements import BuildError, interpreter_for, wanted_packages

_START_SECONDS = 300
_STOP_SECONDS = 5
_LOG_BYTES = 200_000
_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "PIP_INDEX_URL", "PIP_CERT")


@dataclass
class _Run:
    """One attempt to build and run a Space."""

    folder: Path
    stage: str = "BUILDING"
    message: str | None = None
    process: subprocess.Popen[bytes] | None = None
    port: int | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


class SpaceRunner:
    """Runs the Gradio Spaces of a Hub, one process each; only made with --run-spaces."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._folder = hub.settings.root / "spaces"
        self._environments = hub.settings.root / "environments"
        self._runs: dict[str, _Run] = {}
        self._lock = threading.RLock()
        self._end_leftovers()
        hub.listeners.append(self._after_change)
        hub.deletion_listeners.append(self._forget)
        hub.closers.append(self.close)

    def _end_leftovers(self) -> None:
        """End what a killed server left running; the environment proves that the process is one of ours."""
        for file in self._folder.glob("*/pid"):
            pid = file.read_text(encoding="ascii")
            environment = Path("/proc") / pid / "environ"
            marker = f"LOCAL_HUB_SPACE={file.parent}".encode()
            with contextlib.suppress(OSError, ValueError):
                if marker in environment.read_bytes().split(b"\0"):
                    _kill_group(int(pid))
            file.unlink()

    def start_all(self) -> None:
        """Start every Space that is not paused."""
        for shelf in self._hub.catalogue.all():
            if shelf.id.kind == "spaces":
                self.restart(shelf)

    def _after_change(self, shelf: Shelf, ref: str) -> None:
        if shelf.id.kind == "spaces" and ref == "refs/heads/main":
            self.restart(shelf)

    def restart(self, shelf: Shelf) -> None:
        """Stop the Space and start what main holds now, in the background; a paused one stays stopped."""
        self.stop(shelf)
        card = metadata_of(shelf, shelf.repository.resolve("main"))
        if shelf.record.paused or card.get("sdk") != "gradio":
            return
        run = _Run(self._folder / shelf.record.id)
        with self._lock:
            self._runs[shelf.record.id] = run
        threading.Thread(
            target=self._go, args=(shelf, run, card), name=f"space {shelf.id}", daemon=True
        ).start()

    def stop(self, shelf: Shelf) -> None:
        """End the Space's process, if it has one."""
        with self._lock:
            run = self._runs.pop(shelf.record.id, None)
        if run:
            self._end(run)

    def _forget(self, shelf: Shelf) -> None:
        self.stop(shelf)
        shutil.rmtree(self._folder / shelf.record.id, ignore_errors=True)

    def _end(self, run: _Run) -> None:
        run.cancelled.set()
        if run.process and run.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run.process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.process.wait(_STOP_SECONDS)
            _kill_group(run.process.pid)
            run.process.wait()
        (run.folder / "pid").unlink(missing_ok=True)

    def close(self) -> None:
        """Stop every Space."""
        with self._lock:
            runs, self._runs = list(self._runs.values()), {}
        for run in runs:
            self._end(run)

    def stage(self, shelf: Shelf) -> tuple[str, str | None]:
        """The stage and, after a failure, what happened."""
        with self._lock:
            run = self._runs.get(shelf.record.id)
        return (run.stage, run.message) if run else ("STOPPED", None)

    def address(self, shelf: Shelf, endpoint: str) -> str | None:
        """Where the app answers whoever reached the Hub at `endpoint`, None while it does not."""
        with self._lock:
            run = self._runs.get(shelf.record.id)
        host = urlsplit(endpoint).hostname
        return f"http://{host}:{run.port}/" if run and run.stage == "RUNNING" else None

    def log(self, shelf: Shelf, kind: str) -> str:
        """The end of the build or run log."""
        path = self._folder / shelf.record.id / f"{kind}.log"
        return path.read_bytes()[-_LOG_BYTES:].decode("utf-8", "replace") if path.exists() else ""

    def _go(self, shelf: Shelf, run: _Run, card: dict[str, Any]) -> None:
        try:
            run.folder.mkdir(parents=True, exist_ok=True)
            app = self._build(shelf, run, card)
            if app is not None and not run.cancelled.is_set():
                self._watch(run)
        except BuildError as error:
            run.stage, run.message = "BUILD_ERROR", str(error)
        except HubError as error:
            run.stage, run.message = "BUILD_ERROR", error.message
        except OSError as error:
            run.stage, run.message = "RUNTIME_ERROR", f"The Space could not be started: {error.strerror}"

    def _build(self, shelf: Shelf, run: _Run, card: dict[str, Any]) -> subprocess.Popen[bytes] | None:
        oid = shelf.repository.resolve("main")
        shutil.rmtree(run.folder / "app", ignore_errors=True)
        app = export_files(self._hub, shelf, oid, run.folder / "app")
        file = str(card.get("app_file") or "app.py")
        if not (app / file).resolve().is_relative_to(app.resolve()) or not (app / file).is_file():
            run.stage, run.message = "NO_APP_FILE", f"{file} is missing."
            return None
        with (run.folder / "build.log").open("wb") as log:
            python = interpreter_for(wanted_packages(app, card), self._environments, log)
        run.port = _free_port(self._hub.settings.host)
        run.stage = "RUNNING_APP_STARTING"
        with (run.folder / "run.log").open("wb") as log, self._lock:
            if run.cancelled.is_set():
                return None
            run.process = subprocess.Popen(
                [str(python), file],
                cwd=app,
                env=self._environment(shelf, run),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        (run.folder / "pid").write_text(str(run.process.pid), encoding="ascii")
        return run.process

    def _environment(self, shelf: Shelf, run: _Run) -> dict[str, str]:
        """Only what the Space needs: not the server's own environment, which may hold secrets."""
        settings, record = self._hub.settings, shelf.record
        variables = {key: variable.value or "" for key, variable in record.variables.items()}
        return {
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            **variables,
            **shelf.secret_values(),
            "HOME": str(run.folder),
            "HF_HOME": str(run.folder / "home"),
            "HF_ENDPOINT": f"http://{settings.host}:{settings.port}",
            "SYSTEM": "spaces",
            "SPACE_ID": str(shelf.id),
            "SPACE_AUTHOR_NAME": shelf.id.namespace,
            "SPACE_REPO_NAME": shelf.id.name,
            "GRADIO_SERVER_NAME": settings.host,
            "GRADIO_SERVER_PORT": str(run.port),
            "GRADIO_ANALYTICS_ENABLED": "False",
            "LOCAL_HUB_SPACE": str(run.folder),
            "PYTHONUNBUFFERED": "1",
        }

    def _watch(self, run: _Run) -> None:
        """RUNNING once the app answers, RUNTIME_ERROR when it ends or never answers."""
        assert run.process is not None
        deadline = time.monotonic() + _START_SECONDS
        while run.process.poll() is None and not run.cancelled.is_set():
            if run.stage == "RUNNING":
                run.cancelled.wait(1)
            elif self._answers(run):
                run.stage = "RUNNING"
            elif time.monotonic() > deadline:
                run.message = f"The app did not answer within {_START_SECONDS} seconds."
                _kill_group(run.process.pid)
            else:
                run.cancelled.wait(0.2)
        if not run.cancelled.is_set():
            run.stage = "RUNTIME_ERROR"
            run.message = (
                run.message or f"The app ended with exit code {run.process.returncode}; see the run log."
            )

    def _answers(self, run: _Run) -> bool:
        url = f"http://{self._hub.settings.host}:{run.port}/"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.environments import free_port
from finsent import REPOSITORY
from tests.serving.servers import ENVIRONMENT, started


def _ask(port: int) -> tuple[int, str]:
    environment = {**ENVIRONMENT, "PORT": str(port), "http_proxy": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "serving.health"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=REPOSITORY, env=environment, timeout=60
    )
    return done.returncode, done.stdout.strip()


def test_health_is_an_exit_code(tiny_release: Path) -> None:
    with started(tiny_release, "--workers", "1", "--drain", "100") as server:
        port = int(server.address.rpartition(":")[2])
        assert _ask(port) == (0, "200 OK")
        server.process.terminate()
        while (told := _ask(port)) == (0, "200 OK"):
            pass
        assert told == (1, "503 Service Unavailable")
        server.process.terminate()


def test_nobody_there_is_unhealthy() -> None:
    code, told = _ask(free_port())
    assert code == 1 and told.startswith("no answer on port ")

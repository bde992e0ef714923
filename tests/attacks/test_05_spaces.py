"""What a pushed Space can learn, keep running, and use up."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from local_hub.requirements import BuildError, wanted_packages
from tests.attacks.served import BEARER, ServedHub, running_below, served_hub, wait_until

CANARY = "canary-4711"
SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"here")
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["GRADIO_SERVER_PORT"])), Handler).serve_forever()
"""
# Leaves its session, its parent and its environment, and says who it is.
DETACHED = """
import os, signal, subprocess, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        code = "import os,signal,time; signal.signal(15, signal.SIG_IGN); print(os.getpid(), flush=True)"
        code += "; time.sleep(900)"
        with open("FILE", "w") as file:
            subprocess.Popen([sys.executable, "-c", code], env={}, stdout=file, start_new_session=True)
    os._exit(0)
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHub]:
    canaries = {"HF_TOKEN": f"hf_{CANARY}", "AWS_SECRET_ACCESS_KEY": CANARY, "MY_OWN_SECRET": CANARY}
    with served_hub(tmp_path_factory.mktemp("hub"), "--run-spaces", **canaries) as hub:
        yield hub


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[ServedHub]:
    """A Hub for one test, which may kill it."""
    with served_hub(tmp_path / "root", "--run-spaces") as hub:
        yield hub


def post(hub: ServedHub, path: str, body: Any) -> requests.Response:
    return requests.post(f"{hub.endpoint}{path}", json=body, headers=BEARER, timeout=30)


def push(hub: ServedHub, name: str, **files: str) -> None:
    made = post(hub, "/api/repos/create", {"name": name, "type": "space", "sdk": "gradio"})
    assert made.ok or made.status_code == 409, made.text
    lines: list[Any] = [{"key": "header", "value": {"summary": "app"}}]
    for path, text in {"app.py": SERVER, **files}.items():
        content = base64.b64encode(text.encode()).decode()
        lines.append({"key": "file", "value": {"path": path, "content": content, "encoding": "base64"}})
    url = f"{hub.endpoint}/api/spaces/ann/{name}/commit/main"
    body = "\n".join(json.dumps(line) for line in lines)
    done = requests.post(url, data=body, headers=BEARER, timeout=30)
    assert done.ok, done.text


def runtime(hub: ServedHub, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = requests.get(
        f"{hub.endpoint}/api/spaces/ann/{name}/runtime", headers=BEARER, timeout=10
    ).json()
    return answer


def wait_for(hub: ServedHub, name: str, stage: str) -> dict[str, Any]:
    wait_until(lambda: runtime(hub, name)["stage"] not in ("BUILDING", "RUNNING_APP_STARTING", "STOPPED"))
    told = runtime(hub, name)
    assert told["stage"] == stage, (told, log(hub, name, "run"), log(hub, name, "build"))
    return told


def log(hub: ServedHub, name: str, kind: str) -> str:
    return requests.get(f"{hub.endpoint}/api/spaces/ann/{name}/logs/{kind}", headers=BEARER, timeout=10).text


def number_in(file: Path) -> int:
    wait_until(lambda: file.exists() and file.read_text().strip())
    return int(file.read_text())


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def push_with_a_detached_child(hub: ServedHub, tmp_path: Path, name: str, *, stubborn: bool = True) -> int:
    """A stubborn one does not end when it is asked to, which takes the seconds of grace."""
    note = tmp_path / f"{name}.pid"
    code = DETACHED if stubborn else DETACHED.replace("signal.signal(15, signal.SIG_IGN); ", "")
    push(hub, name, **{"app.py": code.replace("FILE", str(note)) + SERVER})
    wait_for(hub, name, "RUNNING")
    child = number_in(note)
    assert is_running(child)
    return child


def test_pause_leaves_nothing_running(hub: ServedHub, tmp_path: Path) -> None:
    child = push_with_a_detached_child(hub, tmp_path, "paused")
    assert post(hub, "/api/spaces/ann/paused/pause", {}).ok
    assert not is_running(child)
    assert running_below(hub.root / "spaces") == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_end_of_the_hub_is_the_end_of_its_spaces(
    mortal: ServedHub, tmp_path: Path, number: signal.Signals
) -> None:
    child = push_with_a_detached_child(mortal, tmp_path, "app", stubborn=number == signal.SIGKILL)
    mortal.stop(number)
    wait_until(lambda: not is_running(child) and not running_below(tmp_path / "root"), 20)


def test_what_outlived_even_the_supervisor_ends_at_the_next_start(mortal: ServedHub, tmp_path: Path) -> None:
    note = tmp_path / "left.pid"
    left = (
        "import subprocess\n"
        "child = subprocess.Popen(['sleep', '900'], start_new_session=True)\n"
        f"open({str(note)!r}, 'w').write(str(child.pid))\n"
    )
    push(mortal, "left", **{"app.py": left + SERVER})
    wait_for(mortal, "left", "RUNNING")
    child = number_in(note)
    supervisors = psutil.Process(mortal.process.pid).children()
    for process in [psutil.Process(mortal.process.pid), *supervisors]:
        process.kill()
    mortal.process.wait(10)
    assert is_running(child)  # killed together, they could end nothing
    with served_hub(tmp_path / "root"):
        wait_until(lambda: not is_running(child), 10)


def test_a_space_sees_nothing_of_the_servers_environment(hub: ServedHub, tmp_path: Path) -> None:
    push(hub, "nosy", **{"app.py": "import os, sys\nprint(dict(os.environ), flush=True)\n" + SERVER})
    wait_for(hub, "nosy", "RUNNING")
    told = log(hub, "nosy", "run")
    assert "SPACE_ID" in told
    assert CANARY not in told
    assert "PIP_" not in told


def write_source_package(folder: Path, backend: str) -> None:
    """A package whose build runs the backend; it needs nothing from an index."""
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    metadata = "Metadata-Version: 2.1\nName: hostile\nVersion: 1.0\n"
    folder.mkdir()
    with tarfile.open(folder / "hostile-1.0.tar.gz", "w:gz") as archive:
        for name, text in {"backend.py": backend, "pyproject.toml": project, "PKG-INFO": metadata}.items():
            member = tarfile.TarInfo(f"hostile-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))


def test_a_space_is_framed_as_another_site_than_the_hub(hub: ServedHub) -> None:
    """Cookies go to every port of a host; an app in a frame of the Hub's page is on another host."""
    push(hub, "framed")
    wait_for(hub, "framed", "RUNNING")
    port = runtime(hub, "framed")["domains"][0]["domain"].rsplit(":", 1)[1]
    for own, other in (("127.0.0.1", "localhost"), ("localhost", "127.0.0.1")):
        page = requests.get(f"{hub.endpoint.replace('127.0.0.1', own)}/spaces/ann/framed", timeout=10)
        assert f'<iframe src="http://{other}:{port}/"' in page.text
        assert f"frame-src http://{other}:{port}/" in page.headers["Content-Security-Policy"]
        assert requests.get(f"http://{other}:{port}/", timeout=10).text == "here"


def test_a_build_sees_nothing_of_the_servers_environment_and_ends_with_the_space(tmp_path: Path) -> None:
    seen, note = tmp_path / "environment", tmp_path / "pid"
    backend = (
        "import os, time\n"
        f"open({str(seen)!r}, 'w').write(repr(dict(os.environ)))\n"
        f"open({str(note)!r}, 'w').write(str(os.getpid()))\n"
        "time.sleep(900)\n"
    )
    write_source_package(tmp_path / "wheels", backend)
    where = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "wheels"), "PIP_CONFIG_FILE": os.devnull}
    canaries = {"HF_TOKEN": f"hf_{CANARY}", "AWS_SECRET_ACCESS_KEY": CANARY, "PIP_PASSWORD": CANARY}
    with served_hub(tmp_path / "root", "--run-spaces", **where, **canaries) as hub:
        push(hub, "built", **{"requirements.txt": "hostile==1.0\n"})
        builder = number_in(note)
        assert "LOCAL_HUB_ROOT" in seen.read_text()
        assert CANARY not in seen.read_text()
        assert post(hub, "/api/spaces/ann/built/pause", {}).ok
        assert not is_running(builder)
        assert not list((tmp_path / "root" / "environments").glob("*/complete"))


@pytest.mark.parametrize(
    "line",
    [
        "https://example.org/evil-1.0.tar.gz",
        "evil @ https://example.org/evil-1.0.tar.gz",
        "evil@file:///tmp/evil",
        "git+https://example.org/evil.git",
        "-e git+ssh://example.org/evil#egg=evil",
        "./evil",
        "/tmp/evil.whl",
        "evil.whl",
        "C:\\evil",
        "--index-url https://example.org/simple",
        "-r other.txt",
        "-c https://example.org/constraints.txt",
        "gradio --global-option=x",
        "gradio==6.17.3 --hash=sha256:00",
        "gradio \\",
        "gradio==${HF_TOKEN}",
        "gradio=={}".format("9" * 5000),
        "$(id)",
        "gradio==1\x00",
    ],
)
def test_requirements_name_packages_only(tmp_path: Path, line: str) -> None:
    (tmp_path / "requirements.txt").write_text(f"# fine\nnumpy>=1\n{line}\n", encoding="utf-8")
    with pytest.raises(BuildError, match=r"requirements\.txt, line 3: .* is refused"):
        wanted_packages(tmp_path, {})


@pytest.mark.parametrize(
    "version", ["1 --index-url https://example.org", "1\n-e .", " @ https://example.org/x", ["1"], {}]
)
def test_the_cards_version_is_a_version(tmp_path: Path, version: object) -> None:
    if not version:
        assert wanted_packages(tmp_path, {"sdk": "gradio", "sdk_version": version}) == ["gradio"]
        return
    with pytest.raises(BuildError, match=r"sdk_version in README\.md: .* is refused"):
        wanted_packages(tmp_path, {"sdk": "gradio", "sdk_version": version})


def test_honest_requirements_stay_what_they_are(tmp_path: Path) -> None:
    text = (
        "\ufeff# comment\nNumPy>=1.2,<3  # why\n\nfastapi[standard]==0.1; python_version >= '3.8'\npandas\n"
    )
    (tmp_path / "requirements.txt").write_text(text, encoding="utf-8")
    wanted = wanted_packages(tmp_path, {"sdk": "gradio", "sdk_version": 5.0})
    assert wanted == [
        "NumPy<3,>=1.2",
        'fastapi[standard]==0.1; python_version >= "3.8"',
        "pandas",
        "gradio==5.0",
    ]


@pytest.mark.parametrize("value", ["a\0b", "\0", "ä" * 60_000, "x" * 100_001])
@pytest.mark.parametrize("kind", ["variables", "secrets"])
def test_a_value_that_no_process_can_have_is_refused_at_once(hub: ServedHub, kind: str, value: str) -> None:
    push(hub, "app")
    answer = post(hub, f"/api/spaces/ann/app/{kind}", {"key": "WORD", "value": value})
    assert answer.status_code == 400
    assert "NUL" in answer.json()["error"] or "allowed are 100000" in answer.json()["error"]
    body = {"name": "other", "type": "space", "sdk": "gradio", kind: [{"key": "WORD", "value": value}]}
    assert post(hub, "/api/repos/create", body).status_code == 400
    key = {"key": "A=B\0", "value": "x"}
    assert post(hub, f"/api/spaces/ann/app/{kind}", key).status_code == 400


@pytest.mark.parametrize(
    ("front", "stage"),
    [
        ('app_file: "a\\0b"', "NO_APP_FILE"),
        ("app_file: /etc/passwd", "NO_APP_FILE"),
        ("app_file: ../../../token", "NO_APP_FILE"),
        ("app_file: [1]", "NO_APP_FILE"),
        ('sdk_version: "1\\0"', "BUILD_ERROR"),
    ],
)
def test_no_card_leaves_a_space_starting_for_ever(hub: ServedHub, front: str, stage: str) -> None:
    push(hub, "odd", **{"README.md": f"---\nsdk: gradio\n{front}\n---\n"})
    assert wait_for(hub, "odd", stage)["errorMessage"]


def test_a_stored_variable_that_cannot_be_handed_over_ends_the_start(tmp_path: Path) -> None:
    """As an older Hub may have left it."""
    with served_hub(tmp_path / "root") as hub:
        push(hub, "old")
        assert post(hub, "/api/spaces/ann/old/variables", {"key": "WORD", "value": "marker"}).ok
    [record] = (tmp_path / "root").rglob("old.git/hub.json")
    record.write_text(record.read_text().replace("marker", "mark\\u0000er"))
    with served_hub(tmp_path / "root", "--run-spaces") as hub:
        assert wait_for(hub, "old", "RUNTIME_ERROR")["errorMessage"]


def run_with(tmp_path: Path, code: str, **limits: Any) -> tuple[int, str]:
    from local_hub.processes import Limits, Supervised, clean_environment

    with (tmp_path / "log").open("ab") as out:
        process = Supervised(
            ["python3", "-c", code],
            folder=tmp_path,
            environment=clean_environment(tmp_path, tmp_path),
            limits=Limits(**{"memory": 1 << 30, "processes": 50, **limits}),
            log=out,
        )
        code_of_exit = process.wait()
    return code_of_exit, (tmp_path / "log").read_text(errors="replace")


def test_limits_on_memory_of_one_process(tmp_path: Path) -> None:
    code, told = run_with(tmp_path, "x = b'x' * (1 << 30)", memory=200 << 20)
    assert code == 1
    assert "MemoryError" in told


def test_limits_on_memory_of_all_processes(tmp_path: Path) -> None:
    spread = (
        "import os, time\n"
        "for _ in range(4):\n    if os.fork() == 0:\n        x = b'x' * (80 << 20)\n        time.sleep(60)\n"
        "time.sleep(60)\n"
    )
    code, told = run_with(tmp_path, spread, memory=200 << 20)
    assert code == 125
    assert "bytes of memory were used" in told
    assert running_below(tmp_path) == []


def test_a_fork_bomb_ends(tmp_path: Path) -> None:
    bomb = "import os, time\nfor _ in range(7):\n    if os.fork() == 0: os.setsid()\ntime.sleep(60)\n"
    code, told = run_with(tmp_path, bomb, processes=20)
    assert code == 125
    assert "More than 20 processes" in told
    assert running_below(tmp_path) == []


def test_a_limit_on_time(tmp_path: Path) -> None:
    started = time.monotonic()
    code, told = run_with(tmp_path, "while True: pass", seconds=1.0)
    assert (code, "time limit was reached" in told) == (125, True)
    assert time.monotonic() - started < 20


def test_the_log_stays_within_bounds(tmp_path: Path) -> None:
    chatty = "import time\nfor _ in range(90):\n    print('x' * (1 << 20), flush=True)\n"
    chatty += "time.sleep(2)\nprint('the end')\n"
    code, told = run_with(tmp_path, chatty)
    assert code == 0
    assert told.strip().endswith("the end")
    assert (tmp_path / "log").stat().st_blocks * 512 < 10 << 20

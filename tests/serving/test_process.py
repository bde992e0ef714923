"""The command as a process: how it ends, what it writes to its log, what it refuses to start with."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from finsent import REPOSITORY
from serving.listener import open_port
from serving.model import ModelError, load_model
from serving.server import SOON
from tests.serving.servers import ENVIRONMENT, REQUESTS, ServerProcess, ask_across_an_end, started


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_in_the_middle_of_requests_loses_none(tiny_release: Path, workers: str) -> None:
    with started(tiny_release, "--workers", workers, "--drain", "100") as server:

        def stop() -> None:
            server.process.terminate()
            _wait_for_503(server.address)

        assert ask_across_an_end(server.address, stop) == [(200, 100)] * REQUESTS
        server.process.terminate()  # a second signal skips the waiting
        assert server.process.wait(60) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.address}/health")


def _wait_for_503(address: str) -> None:
    with httpx.Client(timeout=60) as client:
        until = time.monotonic() + 60
        while (answer := client.get(f"{address}/health")).status_code == 200:
            assert time.monotonic() < until, "health never turned"
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_workers_add_up_their_figures(tiny_release: Path) -> None:
    with started(tiny_release, "--workers", "2") as server:
        for _ in range(20):
            assert httpx.post(f"{server.address}/predict", json={"inputs": "profit"}).status_code == 200
        families = text_string_to_metric_families(httpx.get(f"{server.address}/metrics").text)
        texts = [
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == "finsent_texts_total"
        ]
    assert texts == [20]


def test_workers_share_their_clients(tiny_release: Path) -> None:
    with started(tiny_release, "--workers", "2") as server:
        until = time.monotonic() + 60
        while not min(_clients_of_workers(server)):
            assert time.monotonic() < until, "one of them never takes any"
        assert max(max(_clients_of_workers(server)) for _ in range(5)) <= 5


def _clients_of_workers(server: ServerProcess, clients: int = 8) -> list[int]:
    """Return how many of so many clients each worker has."""
    address = ("127.0.0.1", int(server.address.rpartition(":")[2]))
    with ExitStack() as stack:
        for _ in range(clients):
            stack.enter_context(socket.create_connection(address))
        while sum(counts := [_count_connections(one) for one in _workers(server)]) < clients:
            time.sleep(0.05)
    while any(map(_count_connections, _workers(server))):
        time.sleep(0.05)
    return counts


def _count_connections(process: psutil.Process) -> int:
    return sum(one.status == psutil.CONN_ESTABLISHED for one in process.net_connections("tcp"))


def test_the_log_is_json_without_texts(tiny_release: Path) -> None:
    secret = "Zebra Holding rose"
    with started(tiny_release, "--workers", "1") as server:
        httpx.post(f"{server.address}/predict", json={"inputs": secret}, headers={"X-Request-Id": "one"})
        httpx.post(f"{server.address}/v1/classify", json={"inputs": secret}, headers={"X-Request-Id": "two"})
        httpx.get(f"{server.address}/Zebra?q=Zebra", headers={"X-Request-Id": "Zebra rose"})
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
    lines = [json.loads(line) for line in server.lines]
    assert "Zebra" not in "\n".join(server.lines)
    told = [(line["method"], line["route"], line["status"]) for line in lines if "route" in line]
    assert told[-3:] == [("POST", "/predict", 200), ("POST", "/v1/classify", 422), ("GET", "other", 404)]
    assert [line["request_id"] for line in lines if "route" in line][-3:-1] == ["one", "two"]
    assert all(line["seconds"] >= 0 for line in lines if "route" in line)


def test_sigterm_while_the_model_is_fetched_ends_it_with_0(tmp_path: Path) -> None:
    """Process 1 of a container ignores what it has no handler for: stopping it would take until a kill."""
    with closing(open_port("127.0.0.1", 0)) as silent_hub:
        hub = {"HF_ENDPOINT": f"http://127.0.0.1:{silent_hub.getsockname()[1]}", "HF_HOME": str(tmp_path)}
        command = [sys.executable, "-m", "serving", "me/model", "--port", "0", "--workers", "1"]
        with subprocess.Popen(
            command, cwd=REPOSITORY, env={**ENVIRONMENT, **hub}, stderr=subprocess.DEVNULL
        ) as server:
            connection, _ = silent_hub.accept()
            with connection:
                server.terminate()
                assert server.wait(30) == 0


def _copy(release: Path, folder: Path) -> Path:
    return Path(shutil.copytree(release, folder / "release"))


def test_a_file_that_was_not_measured_is_refused(tiny_release: Path, tmp_path: Path) -> None:
    release = _copy(tiny_release, tmp_path)
    file = release / "onnx" / "model_quantized.onnx"
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(ModelError, match=r"not the file that was measured: download it again"):
        load_model(str(release))


def _start(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "serving", *arguments, "--port", "0", "--workers", "2"]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=REPOSITORY, env=ENVIRONMENT, timeout=100
    )


def test_what_cannot_start_says_one_line_and_exits_1(tiny_release: Path, tmp_path: Path) -> None:
    release = _copy(tiny_release, tmp_path)
    (release / "metrics.json").write_text("{", encoding="utf-8")
    (tmp_path / "token").write_text("\n", encoding="utf-8")
    broken = _start(str(release))
    empty = _start(str(tiny_release), "--token-file", str(tmp_path / "token"))
    for ended in (broken, empty):
        assert ended.returncode == 1 and "Traceback" not in ended.stderr, ended.stderr
    assert "metrics.json" in broken.stderr and "is empty; write the token into it" in empty.stderr


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda release: (release / "metrics.json").write_text("{"), "metrics.json"),
        (
            lambda release: (release / "metrics.json").write_text('{"variants": [{"file": 1}]}'),
            r"metrics.json: variants.0.file: .* download it again",
        ),
        (lambda release: (release / "config.json").write_text("[]"), "config.json"),
        (lambda release: shutil.rmtree(release / "onnx"), "onnx"),
        (lambda release: (release / "tokenizer.json").unlink(), "tokenizer.json"),
        (lambda release: (release / "tokenizer.json").write_text("{}"), "tokenizer.json"),
    ],
)
def test_a_spoilt_release_is_one_error(tiny_release: Path, tmp_path: Path, spoil: object, said: str) -> None:
    release = _copy(tiny_release, tmp_path)
    assert callable(spoil)
    spoil(release)
    with pytest.raises(ModelError, match=said):
        load_model(str(release))


def _workers(server: ServerProcess) -> set[psutil.Process]:
    children = psutil.Process(server.process.pid).children()
    return {one for one in children if "spawn_main" in " ".join(one.cmdline())}


def _waiting(server: ServerProcess) -> float:
    found = re.search(
        r"(?m)^finsent_queue_depth (\S+)", httpx.get(f"{server.address}/metrics", timeout=60).text
    )
    return float(found[1]) if found else 0.0


@pytest.mark.slow
def test_workers_that_are_killed_are_replaced_and_their_requests_wait_no_longer(tiny_release: Path) -> None:
    body = {"inputs": [[f"profit of bank {row} rose"] for row in range(256)], "explain": True}
    with started(tiny_release, "--workers", "2", "--drain", "0") as server, ThreadPoolExecutor(8) as pool:
        time.sleep(SOON)  # who ends sooner than that cannot start at all
        before = _workers(server)
        asked = [
            pool.submit(httpx.post, f"{server.address}/predict", json=body, timeout=60) for _ in range(8)
        ]
        while not _waiting(server):
            pass
        for worker in before:
            worker.kill()
        for one in asked:
            with suppress(httpx.HTTPError):
                one.result()
        assert _waiting(server) == 0
        assert len(_workers(server)) == 2 and not _workers(server) & before


def test_workers_do_not_outlive_a_supervisor_that_was_killed(tiny_release: Path) -> None:
    with started(tiny_release, "--workers", "2", "--drain", "0") as server:
        server.process.kill()
        until = time.monotonic() + 60
        with pytest.raises(httpx.ConnectError):
            while time.monotonic() < until:
                with suppress(httpx.ReadError, httpx.RemoteProtocolError):  # it was taken by one that ends
                    httpx.get(f"{server.address}/health", timeout=60)

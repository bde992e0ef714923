"""The demo at an address that no setting knows, and texts that no UTF-8 can hold."""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from benchmarks.browser.chromium import chromium
from publishing.space.forms import write_form
from publishing.space.preview import app_environment
from tests.attacks.visitor import Visitor
from tests.space.browser import DESK
from tests.space.conftest import SUBJECT, Demo, running_demo
from tests.space.test_load import call

LONE = "Profit \ud800 rose \udfff"


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("form") / "gradio"
    write_form("gradio", SUBJECT, folder)
    return folder


@pytest.fixture(scope="module")
def demo(form: Path, tiny_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    log = tmp_path_factory.mktemp("demo") / "app.log"
    with running_demo(sys.executable, form, tiny_release, log) as running:
        yield running


@pytest.mark.parametrize(
    ("inputs", "outputs", "expected"),
    [
        (["text"], ["answer", "words"], "fs-verdict"),
        (["text", "method"], ["words"], "Profit ? rose ?"),
        (["compare-text"], ["comparison"], "fs-pair"),
    ],
)
def test_a_lone_surrogate_is_answered(
    demo: Demo, inputs: list[str | None], outputs: list[str | None], expected: str
) -> None:
    answer = Visitor(demo.address).send(inputs, outputs, [LONE, "leave-one-out"][: len(inputs)])
    text = re.sub(r"<sub>.*?</sub>|</?span.*?>", "", " ".join(map(str, answer)))
    assert expected in re.sub(r"\s+", " ", text)


def test_a_lone_surrogate_among_many_is_answered(demo: Demo, tmp_path: Path) -> None:
    visitor, file = Visitor(demo.address), tmp_path / "a.jsonl"
    file.write_text(json.dumps({LONE: LONE}), encoding="utf-8")
    described: list[str | None] = [None, "column", "header", "about-input"]
    [_, column, _, said] = visitor.send([None, "file"], described, [None, visitor.upload(file)])
    assert column["choices"] == [["Profit ? rose ?", "Profit ? rose ?"]] and "Profit ? rose ?" in said


def test_the_api_answers_a_lone_surrogate(demo: Demo) -> None:
    [found] = call(demo.address, "explain_words", LONE)  # type: ignore[misc]
    assert [one["word"] for one in found["words"]] == ["Profit", "?", "rose", "?"]
    assert call(demo.address, "classify", LONE)
    assert len(call(demo.address, "classify_batch", [LONE, "up"])[0]) == 2  # type: ignore[index]


def test_a_request_of_more_than_a_file_is_refused(demo: Demo) -> None:
    body = {"data": ["x" * 54_000_000]}
    answer = requests.post(f"{demo.address}/gradio_api/call/classify", json=body, timeout=60)
    assert (answer.status_code, answer.text) == (413, "a request may have at most 53,477,376 bytes")
    assert call(demo.address, "classify", "Profit rose")


@contextlib.contextmanager
def proxy(address: str, prefix: str) -> Iterator[str]:
    """Serve an app below a prefix, as a reverse proxy does that strips it; yields the address outside."""

    class Forward(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else None
            kept = {key: self.headers[key] for key in ("Content-Type", "Accept") if key in self.headers}
            headers = {**kept, "X-Forwarded-Host": self.headers["Host"]}
            url = address + self.path.removeprefix(prefix)
            with requests.request(self.command, url, data=body, headers=headers, stream=True) as answer:
                self.send_response(answer.status_code)
                self.send_header("Content-Type", answer.headers.get("Content-Type", "text/plain"))
                self.end_headers()
                with contextlib.suppress(ConnectionError, requests.RequestException):  # either side hung up
                    for piece in answer.iter_content(None):
                        self.wfile.write(piece)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forward)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{prefix}"
    finally:
        server.shutdown()
        server.server_close()


def open_about(browser: Any, address: str) -> str:
    page = browser.new_context(viewport=DESK).new_page()
    page.set_default_timeout(60_000)
    page.goto(address)
    page.get_by_role("tab", name="About").click()
    page.wait_for_selector("#about pre")
    return str(page.inner_text("#about"))


@pytest.mark.slow
def test_about_names_the_port_that_gradio_took(form: Path, tiny_release: Path, tmp_path: Path) -> None:
    """Without a port of its own, Gradio takes the next one that is free."""
    environment = app_environment(tiny_release, tmp_path, None) | {"PYTHONUNBUFFERED": "1"}
    environment.pop("GRADIO_SERVER_PORT", None)
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # somebody else may have it: taken is taken
            taken = stack.enter_context(socket.socket())
            taken.bind(("127.0.0.1", 7860))
            taken.listen()
        process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "app.py"], cwd=form, env=environment, stdout=subprocess.PIPE, text=True
            )
        )
        stack.callback(process.terminate)
        assert process.stdout is not None
        address = next(found[0] for line in process.stdout if (found := re.search(r"http://127\S+\d", line)))
        assert not address.endswith(":7860")
        with chromium() as browser:
            about = open_about(browser, address)
    assert f'Client("{address}")' in about and f'"url": "{address}/gradio_api/mcp/"' in about


@pytest.mark.slow
def test_about_names_the_address_behind_a_proxy(form: Path, tiny_release: Path, tmp_path: Path) -> None:
    more = {"GRADIO_ROOT_PATH": "/demo"}
    with (
        running_demo(sys.executable, form, tiny_release, tmp_path / "app.log", more) as running,
        proxy(running.address, "/demo") as address,
        chromium() as browser,
    ):
        about = open_about(browser, f"{address}/")
    assert f'Client("{address}")' in about and f"curl -s {address}/gradio_api/call/classify" in about

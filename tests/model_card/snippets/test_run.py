from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from finsent.errors import ReleaseError
from model_card.snippets.run import BlockResult, run_snippets, same_output
from tests.model_card.samples import LABELS


@pytest.fixture(scope="module")
def results(run: Path) -> list[BlockResult]:
    """Every block of the card of a real release, executed once."""
    return list(run_snippets(run))


@pytest.fixture
def run_card(run: Path, tmp_path: Path) -> Callable[..., list[BlockResult]]:
    """A function that runs a card of its own against the release."""
    copy = tmp_path / "run"
    shutil.copytree(run, copy)

    def execute(body: str, **options: Any) -> list[BlockResult]:
        (copy / "release" / "README.md").write_text(
            f"---\nlicense: mit\n---\n# t\n\n{body}", encoding="utf-8"
        )
        return list(run_snippets(copy, every=True, **options))

    return execute


def by_content(results: list[BlockResult], part: str) -> BlockResult:
    (found,) = [result for result in results if part in result.block.code]
    return found


@pytest.mark.parametrize(
    ("part", "printed"),
    [
        ("from transformers import pipeline\n", "'score'"),
        ("ORTModelForSequenceClassification", "model_quantized.onnx"),
        ("import onnxruntime", "ne"),
        ("sha256sum", "onnx/model_quantized.onnx: OK"),
    ],
)
def test_blocks_of_the_card_run_by_the_hub_id(results: list[BlockResult], part: str, printed: str) -> None:
    parts = [result for result in results if part in result.block.code]
    result = parts[0]
    assert result.state == "ok", result.detail
    assert printed in result.detail


def test_no_block_of_the_card_fails(results: list[BlockResult]) -> None:
    assert [result for result in results if result.state == "failed"] == []


def test_what_needs_a_hub_is_said_to_be_not_run(results: list[BlockResult]) -> None:
    for part in ("InferenceClient", "curl"):
        assert by_content(results, part).detail == "needs a Hub: set HF_ENDPOINT"


@pytest.mark.slow
@pytest.mark.skipif(
    not (Path(os.environ.get("NODE_PATH", "/")) / "@huggingface" / "transformers").is_dir(),
    reason="NODE_PATH names no node_modules with @huggingface/transformers",
)
def test_javascript_block_runs_in_node(run: Path) -> None:
    (result,) = run_snippets(run, Path(os.environ["NODE_PATH"]), languages={"javascript"})
    assert result.state == "ok", result.detail
    assert all(label in result.detail for label in LABELS)


def test_javascript_without_its_package_is_said_to_be_not_run(results: list[BlockResult]) -> None:
    assert by_content(results, "await pipeline").state == "not run"


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("```python\nprint(1\n```", "never closed"),
        ("```python\nraise ValueError('gone')\n```", "ValueError: gone"),
        ("```python\nx = 1\n```", "printed nothing"),
        ("```python\nprint('up', 0.91)\n```\n\n```text\nup 0.95\n```", "promised 'up 0.95'"),
        ("```json\n{'a': 1}\n```", "line 1"),
        ("```bash\nfor x in\n```", "syntax error"),
        ("```bash\nsha256sum --check <<'END'\n00  README.md\nEND\n```", "exit"),
    ],
)
def test_a_faulty_block_fails(run_card: Callable[..., list[BlockResult]], block: str, message: str) -> None:
    (result,) = run_card(block + "\n")
    assert result.state == "failed"
    assert message in result.detail
    assert result.block.line == 6


def test_a_kept_promise_and_parsed_blocks_are_fine(run_card: Callable[..., list[BlockResult]]) -> None:
    promise = "```python\nprint('up', 0.91)\n```\n\n```text\nup 0.92\n```\n\n"
    results = run_card(promise + "```json\n{}\n```\n\n```yaml\na: 1\n```\n")
    assert [result.state for result in results] == ["ok", "ok", "ok"]


def test_blocks_have_no_network_and_do_not_train(run_card: Callable[..., list[BlockResult]]) -> None:
    offline = "```python\nimport os\nprint(os.environ['HF_HUB_OFFLINE'])\n```\n"
    first, second = run_card(offline + "\n```bash\npython train.py recipe.yaml\n```\n")
    assert first.detail == "1"
    assert second.state == "not run"


class _Router(BaseHTTPRequestHandler):
    """Answers any POST as the inference API answers a text."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        content = b'[[{"label": "positive", "score": 0.9}]]'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Be silent."""


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_with_a_hub_its_blocks_run_against_that(run_card: Callable[..., list[BlockResult]]) -> None:
    body = (
        "```bash\ncurl -s https://router.huggingface.co/hf-inference/models/a/b -d '{}'\n```\n\n"
        "```python\nfrom huggingface_hub import InferenceClient, constants\n"
        "print(constants.INFERENCE_PROXY_TEMPLATE, InferenceClient)\n```\n"
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Router)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        shell, python = run_card(body, endpoint=address)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (shell.state, shell.detail) == ("ok", '[[{"label": "positive", "score": 0.9}]]')
    assert python.detail.startswith(f"{address}/{{provider}}")


def test_a_run_without_card_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"README\.md"):
        list(run_snippets(tmp_path))


@pytest.mark.parametrize(
    ("printed", "same"), [("up 0.92", True), ("up 0.99", False), ("down 0.91", False), ("up", False)]
)
def test_outputs_are_compared_with_a_tolerance(printed: str, same: bool) -> None:
    assert same_output("up 0.91\n", printed) is same

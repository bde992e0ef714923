"""Item 12: what was checked is sent, a Hub's answers are looked at, receipts are whole or set aside."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import hub_push
from local_hub import RunningHub
from publishing.errors import LintError, PublishError
from publishing.hub import client
from publishing.hub.connection import Timeouts, connect
from publishing.hub.remote import Reader, Target
from publishing.hub.retries import Retries
from publishing.hub.transfer import Sender
from publishing.preflight import check_account
from publishing.proof.prover import Prover
from tests.local_hub.accounts import WRITE
from tests.publishing.conftest import QUICK, Publisher, _client, run  # noqa: F401  (fixtures)

COMMIT = "0123456789" * 4
ONCE = Retries(tries=1, base=0.01, settle=0.01)


@pytest.fixture
def publisher(hub: RunningHub, run: Path, repo_id: str) -> Publisher:  # noqa: F811
    return Publisher(Reader(connect(hub.endpoint, WRITE, Timeouts(5, 30)), QUICK), run, repo_id)


def swap(path: Path) -> None:
    path.write_bytes(b"swapped" + path.read_bytes()[7:])


def swap_for_link(path: Path) -> None:
    other = path.with_name("other")
    path.rename(other)
    path.symlink_to(other)


@pytest.mark.parametrize("change", [swap, swap_for_link, Path.unlink])
@pytest.mark.parametrize("name", ["tokenizer_config.json", "model.safetensors"])
def test_a_file_swapped_after_lint_is_neither_published_nor_tagged(
    publisher: Publisher, name: str, change: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent_from = publisher.parcel().folder / name
    monkeypatch.setattr(hub_push, "confirm", lambda question: change(sent_from))
    with pytest.raises(LintError, match=rf"{re.escape(name)}: changed since it was checked.*run again"):
        publisher.publish(confirm=True)
    there = publisher.reader.read(publisher.target)
    assert set(there.files) <= {".gitattributes"} and there.tags == {}
    assert [(one.state, one.commit, one.tag) for one in publisher.receipts()] == [("failed", None, None)]


def test_a_file_swapped_while_it_is_sent_does_not_reach_the_hub(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = publisher.parcel().folder
    upload = Sender._upload

    def swapping(self: Sender, additions: list[Any]) -> None:
        for name in ("tokenizer_config.json", "model.safetensors"):
            swap(folder / name)
        upload(self, additions)

    monkeypatch.setattr(Sender, "_upload", swapping)
    checked = publisher.parcel()
    receipt = hub_push.publish(hub_push.Push(checked, options_of(publisher), publisher.reader)).receipt
    assert receipt is not None and receipt.state == "published"
    assert publisher.reader.read(publisher.target).holds(checked.manifest)


def options_of(publisher: Publisher) -> Any:
    from publishing.options import PushOptions

    return PushOptions(proof="files", confirm=False)


# --- what a Hub answers


@contextmanager
def answering(body: bytes, **headers: str) -> Iterator[str]:
    """A Hub that answers whatever is asked with one body and these headers."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_POST = do_GET

        def log_message(self, format: str, *arguments: object) -> None:
            """Be silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reader_at(address: str) -> Reader:
    return Reader(connect(address, WRITE, Timeouts(5, 10)), ONCE)


ETAGS = ('"../../../../../owned"', "../owned", "..", "a/b", "{tmp}/owned", '"{tmp}/owned"', "a" * 300)


@pytest.mark.parametrize("header", ["ETag", "X_Linked_ETag"])
def test_an_etag_never_names_a_file_elsewhere(tmp_path: Path, header: str) -> None:
    (home := tmp_path / "home" / "of" / "proof").mkdir(parents=True)
    for etag in ETAGS:
        told = {"ETag": '"abc"'} | {header: etag.format(tmp=tmp_path)}
        with answering(b"{}", X_Repo_Commit=COMMIT, **told) as address:
            prover = Prover(reader_at(address), Target("ann/x"), COMMIT, home)
            with pytest.raises(PublishError, match="which a Hub never does"):
                prover.download(["config.json"])
    assert [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_relative_to(home)] == []


@pytest.mark.parametrize("etag", ['"abc-2"', 'W/"d41d8cd98f00b204"', "0" * 64])
def test_an_honest_etag_is_taken(tmp_path: Path, etag: str) -> None:
    with answering(b"{}", X_Repo_Commit=COMMIT, ETag=etag) as address:
        prover = Prover(reader_at(address), Target("ann/x"), COMMIT, tmp_path)
        assert (prover.download(["config.json"]) / "config.json").read_bytes() == b"{}"


def listing(name: Any, **more: Any) -> dict[str, Any]:
    file = {"rfilename": name, "size": 1, "blobId": "0" * 40} | more
    return {"id": "ann/x", "sha": COMMIT, "siblings": [file], "tags": []}


ODD = [
    {}, [], None, "x", 7, {"id": None}, {"id": "ann/x", "sha": 7}, {"id": "ann/x", "sha": "../../owned"},
    {"id": "ann/x", "sha": COMMIT, "siblings": 7}, {"id": "ann/x", "sha": COMMIT, "siblings": [7]},
    {"id": "ann/x", "sha": COMMIT, "siblings": [{}]}, {"id": "ann/x", "sha": COMMIT, "lastModified": "?"},
    listing("../owned"), listing("/etc/owned"), listing("a//b"), listing("a\0b"), listing("\ud800"),
    listing("..\\owned"), listing(7), listing("a", size="much"), listing("a", size=float("nan")),
    listing("a", size=float("inf")), listing("a", lfs=[1]), listing("a", lfs={"sha256": "0"}),
]  # fmt: skip


def assert_refused(ask: Callable[[], object], told: object, at: str = "") -> None:
    """In one line, at that question: a later one might refuse what an earlier one let pass."""
    with pytest.raises(PublishError, match=at or None) as failed:
        pytest.fail(f"{told!r} was taken: {ask()!r}")
    assert "\n" not in str(failed.value) and len(str(failed.value)) < 500


def test_odd_json_of_a_repository_is_one_line() -> None:
    for tree in ODD:
        with answering(json.dumps(tree).encode(), Content_Type="application/json") as address:
            assert_refused(lambda: reader_at(address).read(Target("ann/x")), tree, "read files")
    with answering(json.dumps(listing("a/b.txt")).encode(), Content_Type="application/json") as address:
        assert_refused(lambda: reader_at(address).read(Target("ann/x")), "honest files", "read commits")


def test_odd_json_of_everything_else_is_one_line() -> None:
    for tree in ([7], None, "x", 7, {"name": "ann", "orgs": [7], "stage": 7}):
        with answering(json.dumps(tree).encode(), Content_Type="application/json") as address:
            reader, target = reader_at(address), Target("ann/x")
            assert_refused(lambda: reader.messages(target, COMMIT), tree)  # noqa: B023
            assert_refused(lambda: reader.tags(target), tree)  # noqa: B023
            assert_refused(lambda: check_account(reader.connection, ONCE, "ann/x"), tree)  # noqa: B023


def test_what_is_no_json_is_one_line() -> None:
    for body in (b"", b"{", b"[" * 100_000, b"\xff\xfe", b'{"id": 1e99999999}'):
        with answering(body) as address:
            assert_refused(lambda: reader_at(address).read(Target("ann/x")), body[:20])


def test_a_huge_answer_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LARGEST_ANSWER", 1 << 20)
    with answering(b" " * (3 << 20)) as address, pytest.raises(PublishError, match="answers with over 1 MB"):
        reader_at(address).read(Target("ann/x"))


# --- receipts


def test_a_truncated_receipt_does_not_stop_the_next_push(publisher: Publisher) -> None:
    publisher.publish()
    [path] = (publisher.run / "receipts").glob("*.json")
    path.write_bytes(path.read_bytes()[:100])
    receipt = publisher.publish().receipt
    assert receipt is not None and receipt.state == "unchanged"
    assert publisher.publish().receipt is None

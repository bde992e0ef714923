"""Item 12: what was checked is sent, a Hub's answers are looked at, receipts are whole or set aside."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hub_push
from finsent.cli import plain
from local_hub import RunningHub
from publishing import durable
from publishing.errors import LintError, PublishError
from publishing.hub import client
from publishing.hub.connection import Timeouts, connect
from publishing.hub.remote import Reader, Target
from publishing.hub.retries import Retries
from publishing.hub.transfer import Sender
from publishing.package.manifest import read_folder
from publishing.package.parcel import pack_release
from publishing.preflight import check_account
from publishing.proof.prover import Prover
from publishing.receipt import newest_receipt, read_receipt, read_receipts, write_receipt
from tests.local_hub.accounts import WRITE
from tests.publishing.conftest import QUICK, Publisher, _client, run  # noqa: F401  (fixtures)
from tests.publishing.test_receipt import write

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


@pytest.mark.parametrize("name", ["model.safetensors", "LICENSE", "onnx", "figures"])
def test_a_link_in_a_release_is_refused(run: Path, name: str, tmp_path: Path) -> None:  # noqa: F811
    path = run / "release" / name
    outside = tmp_path / "outside"
    path.rename(outside) if path.exists() else outside.write_text("secret", encoding="utf-8")
    path.symlink_to(outside)
    with pytest.raises(LintError, match=rf"{name}: is a link"):
        pack_release(run, Target("ann/linked"), None)


def test_a_link_in_a_data_set_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.csv").symlink_to("/etc/passwd")
    with pytest.raises(LintError, match=r"rows\.csv: is a link"):
        read_folder(tmp_path / "data", "dataset")


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
            with pytest.raises(PublishError, match="which no Hub gives a file"):
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
    listing("a", size=float("inf")), listing("a", lfs=[]), listing("a", lfs={"sha256": "0"}),
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


def test_what_a_hub_says_cannot_steer_a_terminal() -> None:
    assert plain("a\x1b[2J\x9b1m\u202eb\ttab\nline é 株 📈") == "a\ufffd[2J\ufffd1m\ufffdb\ttab\nline é 株 📈"


# --- receipts


@pytest.mark.parametrize("content", [b"", b'{"schema_version": 1, "crea', b"\xff\xfe", b"[]", b"\0" * 400])
def test_a_damaged_receipt_is_set_aside_and_said(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    good = write(tmp_path)
    damaged = tmp_path / "receipts" / "2026-11-24T00-00-00.000000Z.json"
    damaged.write_bytes(content)
    assert [receipt.repo_id for receipt in read_receipts(tmp_path, "ann/quick")] == ["ann/quick"]
    assert newest_receipt(tmp_path) == good
    assert not damaged.exists() and damaged.with_name(damaged.name + ".broken").read_bytes() == content
    assert "is no receipt" in capsys.readouterr().err


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    st.integers(0, 2000),
    st.integers(0, 40),
    st.binary(max_size=6) | st.sampled_from([b"null", b"{}", b"1e999"]),
)
def test_a_receipt_is_read_or_is_none(start: int, length: int, instead: bytes) -> None:
    """Whatever a power cut or a hand did to it: a receipt, or one line that says that it is none."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder))
        content = path.read_bytes()
        path.write_bytes(content[:start] + instead + content[start + length :])
        try:
            receipt = read_receipt(path)
        except PublishError as error:
            assert "\n" not in str(error)
            assert list(read_receipts(Path(folder), "ann/quick")) == []
        else:
            assert read_receipt(write_receipt(receipt, Path(folder))) == receipt


def test_a_truncated_receipt_does_not_stop_the_next_push(publisher: Publisher) -> None:
    publisher.publish()
    [path] = (publisher.run / "receipts").glob("*.json")
    path.write_bytes(path.read_bytes()[:100])
    receipt = publisher.publish().receipt
    assert receipt is not None and receipt.state == "unchanged"
    assert publisher.publish().receipt is None


def test_a_receipt_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    replace, fsync = Path.replace, os.fsync

    def noted_fsync(descriptor: int) -> None:
        order.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")  # noqa: PTH112
        fsync(descriptor)

    def noted_replace(self: Path, target: Path) -> Path:
        order.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    durable.write_durably(tmp_path / "x.json", "{}")
    assert order == ["file", "rename", "folder"]
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]

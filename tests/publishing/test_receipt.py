from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publishing.errors import PublishError
from publishing.receipt import find_receipt, newest_receipt, read_receipt, read_receipts, write_receipt

# As finsent 0.1.0 left it; an unchanged run is known by it as published and proved.
OF_0_1_0: dict[str, Any] = {
    "schema_version": 1, "created": "2026-11-22T14-26-40.842171Z", "endpoint": "http://127.0.0.1:37595",
    "repo_id": "ann/quick", "repo_type": "model", "revision": "main", "state": "published", "message": "",
    "push": "7d3f784f4f1c44f1bc2d614b93601693", "parent": "b" * 40, "commit": "8" * 40,
    "commit_is_certain": True, "pull_request": None, "tag": "v0.1.0",
    "card_sha256": "9" * 64, "card_choice": "ours",
    "files": [{"path": "README.md", "size": 30373, "sha256": "9" * 64}],
    "checks": [{"name": "files", "state": "ok", "detail": "13 files, sha256 of each"}],
    "space": {
        "repo_id": "ann/quick-demo", "sdk": "gradio", "commit": "c" * 40, "model_revision": "8" * 40,
        "stage": "RUNNING", "note": "",
    },
}  # fmt: skip


def write(run: Path, **changes: object) -> Path:
    tree = OF_0_1_0 | changes
    path = run / "receipts" / f"{tree['created']}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(tree), encoding="utf-8")
    return path


def test_a_receipt_of_an_earlier_version_is_read_and_kept_as_it_is(tmp_path: Path) -> None:
    receipt = read_receipt(write(tmp_path))
    assert receipt.model_dump(mode="json") == OF_0_1_0
    assert list(read_receipts(tmp_path, "ann/quick")) == [receipt]
    assert list(read_receipts(tmp_path, "ann/other")) == []


def test_the_newest_receipt_is_that_of_a_commit(tmp_path: Path) -> None:
    published = write(tmp_path)
    write(tmp_path, created="2026-11-23T00-00-00.000000Z", commit=None, state="failed")
    assert newest_receipt(tmp_path) == published


def test_what_is_no_receipt_is_one_line(tmp_path: Path) -> None:
    path = write(tmp_path, unknown=1)
    with pytest.raises(
        PublishError, match=r"is not a receipt \(.*\); receipts are in runs/\*/receipts/\*\.json"
    ):
        read_receipt(path)


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
    assert "is not a receipt" in capsys.readouterr().err


def test_a_receipt_is_named_itself_or_by_its_run(tmp_path: Path) -> None:
    path = write(tmp_path)
    older = write(tmp_path, created="2026-11-21T00-00-00.000000Z", tag="v0.0.9")
    assert find_receipt(tmp_path) == (read_receipt(path), tmp_path)
    assert find_receipt(older) == (read_receipt(older), tmp_path)
    with pytest.raises(PublishError, match="has no receipt of a published commit"):
        find_receipt(tmp_path / "nowhere")


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

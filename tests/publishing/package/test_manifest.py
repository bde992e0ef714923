from __future__ import annotations

from pathlib import Path

import pytest

from publishing.errors import LintError
from publishing.package import manifest
from publishing.package.manifest import from_bytes, is_allowed, read_folder


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("model.safetensors", True), ("onnx/model_q4.onnx", True), ("figures/a.png", True),
        (".env", False), (".git/config", False), ("checkpoints/a/model.safetensors", False),
        ("handler.py", True), ("requirements.txt", True), ("inference/classifier.py", True),
        ("inference/explain.py", False), ("serving/handler.py", False), ("pipeline.py", False),
        ("onnx/deep/model.onnx", False), ("optimizer.pt", False), ("onnx/.hidden.onnx", False),
    ],
)  # fmt: skip
def test_only_what_is_named_is_sent(path: str, allowed: bool) -> None:
    assert is_allowed("model", path) is allowed


def test_hashes_are_those_of_git_and_lfs(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(b"hello\n")
    (tmp_path / ".env").write_text("SECRET=1", encoding="utf-8")
    found = read_folder(tmp_path, "model")
    assert from_bytes("README.md", b"hello\n").git_sha1 == found.files["README.md"].git_sha1
    assert found.files["README.md"].git_sha1 == "ce013625030ba8dba906f756967f9e9ca394464a"
    assert found.files["README.md"].sha256.startswith("5891b5b522d5df086d0ff0b110fb")
    assert found.left_out == (".env",)


def test_of_a_large_file_git_s_hash_is_made_only_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "LARGEST_IN_GIT", 5)
    (tmp_path / "README.md").write_bytes(b"hello\n")
    file = manifest.read_folder(tmp_path, "model").files["README.md"]
    assert file.blob is None
    assert file.git_sha1 == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(LintError, match="has no file that belongs in a model repository"):
        read_folder(tmp_path, "model")


def test_a_link_in_a_data_set_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.csv").symlink_to("/etc/passwd")
    with pytest.raises(LintError, match=r"rows\.csv: is a link"):
        read_folder(tmp_path / "data", "dataset")

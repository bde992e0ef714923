from __future__ import annotations

from pathlib import Path

import pytest

from publishing.errors import LintError
from publishing.package.manifest import OutgoingFile, from_bytes, hash_file
from publishing.package.sending import taken


@pytest.fixture
def file(tmp_path: Path) -> OutgoingFile:
    (tmp_path / "x.csv").write_bytes(b"text,label\n")
    return hash_file(tmp_path / "x.csv", "data/x.csv")


def test_what_is_sent_is_a_copy_that_nobody_else_writes(file: OutgoingFile) -> None:
    assert isinstance(file.source, Path)
    with taken([file, from_bytes("README.md", b"# x\n")]) as (copied, memory):
        file.source.write_bytes(b"swapped")
        assert (copied.path_in_repo, memory.path_in_repo) == ("data/x.csv", "README.md")
        copy = Path(str(copied.path_or_fileobj))
        assert copy.read_bytes() == b"text,label\n" and memory.path_or_fileobj == b"# x\n"
    assert not copy.exists()


@pytest.mark.parametrize("change", ["other bytes", "a link", "gone"])
def test_what_changed_since_it_was_checked_is_not_sent(
    file: OutgoingFile, change: str, tmp_path: Path
) -> None:
    assert isinstance(file.source, Path)
    content = file.source.read_bytes()
    file.source.unlink()
    if change == "other bytes":
        file.source.write_bytes(content.upper())
    elif change == "a link":
        (tmp_path / "same").write_bytes(content)
        file.source.symlink_to(tmp_path / "same")
    with (
        pytest.raises(LintError, match=r"data/x\.csv: changed since it was checked.*run again"),
        taken([file]),
    ):
        pytest.fail("it was taken")

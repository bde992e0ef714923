"""A README that was saved on the Hub by another editor: one block, one kind of line end, and linted."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, configure_http_backend
from hypothesis import given, settings
from hypothesis import strategies as st

import hub_push
from local_hub import RunningHub
from model_card.card.document import split_card
from model_card.lint.metadata import lint_block, read_metadata
from publishing.errors import CardConflictError, LintError
from publishing.hub.connection import Timeouts, connect
from publishing.hub.remote import Reader, Remote, Target
from publishing.hub.retries import Retries
from publishing.options import PushOptions
from publishing.package.card_merge import decide_card, merge_card
from publishing.package.card_text import decode_card, take_metadata
from publishing.package.parcel import pack_dataset
from publishing.push import Push, PushResult
from tests.local_hub.accounts import WRITE

fuzzed = settings(max_examples=200, deadline=None, derandomize=True, database=None)
FRONT = "license: mit\ntags:\n- old\nthumbnail: x.png\n"
BODY = "# T\n\nTheir words.\n\n<!-- finsent:begin a -->\nold\n<!-- finsent:end a -->\n"
THEIRS = f"---\n{FRONT}---\n\n{BODY}"
OURS = (
    "---\nlicense: mit\ntags:\n- new\n---\n\n# T\n\nOur words.\n\n"
    "<!-- finsent:begin a -->\nnew\n<!-- finsent:end a -->\n"
)
MERGED = f"---\nlicense: mit\ntags:\n- new\nthumbnail: x.png\n---\n\n{BODY.replace('old', 'new')}"
EDITORS: dict[str, Callable[[str], bytes]] = {
    "as it was": lambda text: text.encode(),
    "a byte-order mark": lambda text: text.encode("utf-8-sig"),
    "two of them": lambda text: ("\ufeff\ufeff" + text).encode(),
    "Windows": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "Windows twice": lambda text: text.replace("\n", "\r\r\n").encode(),
    "an old Mac": lambda text: text.replace("\n", "\r").encode(),
    "one line of Windows": lambda text: text.replace("Their words.\n", "Their words.\r\n").encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "no last line end": lambda text: text.rstrip("\n").encode(),
    "blanks behind the rules": lambda text: text.replace("---\n", "---  \t\n").encode(),
    "blank lines first": lambda text: ("\n\n" + text).encode(),
    "tabs for blanks": lambda text: text.replace("x.png", "\tx.png").replace("- old", "\t- old").encode(),
    "a second block": lambda text: text.replace(FRONT, f"{FRONT}---\n\ufeff---\nlicense: gpl-3.0\n").encode(),
    "a second block of Windows": lambda text: f"---\r\nthumbnail: x.png\r\n---\r\n\r\n{text}".encode(
        "utf-8-sig"
    ),
}


@pytest.mark.parametrize("editor", EDITORS)
def test_merging_ends_with_one_block_and_one_line_end(editor: str) -> None:
    merged = merge_card(decode_card(EDITORS[editor](THEIRS)), decode_card(OURS.encode()))
    assert merged == MERGED
    assert list(lint_block(split_card(merged))) == []


MARKS = ("begin a", "end a", "begin b", "end b")
OURS_WITH_TWO = OURS + "\n<!-- finsent:begin b -->\n1\n2\n3\n<!-- finsent:end b -->\n"
# An old Mac reads each of Windows' line ends as two, and nobody can tell any more.
HARMLESS = [
    name for name in EDITORS if not name.startswith(("UTF-16", "a second", "tabs", "an old", "no last"))
]


@fuzzed
@given(st.lists(st.sampled_from(HARMLESS), max_size=4))
def test_editors_one_after_the_other_change_nothing(editors: list[str]) -> None:
    text = THEIRS
    for editor in editors:
        text = EDITORS[editor](text).decode()
    assert merge_card(decode_card(text.encode()), decode_card(OURS.encode())) == MERGED


@fuzzed
@given(
    st.lists(
        st.sampled_from(
            ["---", "---  ", "\n", "\r\n", "\r", "\t", "\ufeff", "a: 1", "tags: [x]", "- b", "x", " ", "é",
             "yes: 08", "license: gpl", "<!-- finsent:begin a -->",
             *(f"<!-- finsent:{mark} -->\n" for mark in MARKS)]
        ),
        max_size=20,
    ).map("".join)
)  # fmt: skip
def test_whatever_stood_there_the_merged_card_is_whole(theirs: str) -> None:
    """One block that is ours and what only they have, line feeds alone; and merging again changes nothing."""
    try:
        merged = merge_card(decode_card(theirs.encode()), OURS_WITH_TWO)
    except ValueError:
        return
    document = split_card(merged)
    metadata = read_metadata(document)
    assert {"license": "mit", "tags": ["new"]}.items() <= metadata.items()
    assert "\r" not in merged and not merged.startswith("\ufeff")
    assert merge_card(decode_card(merged.encode()), OURS_WITH_TWO) == merged


def test_words_behind_regions_that_cross_are_kept() -> None:
    marks = "begin b", "begin a", "end a", "words of theirs", "end b", "more words"
    theirs = "\n".join(f"<!-- finsent:{mark} -->" if mark[:3] in ("beg", "end") else mark for mark in marks)
    merged = merge_card(f"{THEIRS.partition('# T')[0]}{theirs}\n", OURS_WITH_TWO)
    assert "words of theirs" in merged and "more words" in merged
    assert merge_card(merged, OURS_WITH_TWO) == merged


def test_a_card_of_many_blocks_is_read_in_linear_time() -> None:
    started = time.process_time()
    assert take_metadata("---\n---\n" * 20_000 + "words\n") == ({}, "words\n")
    assert take_metadata("---\nword\n" * 200_000)[0] == {}
    assert time.process_time() - started < 10


@pytest.mark.parametrize("date", ["2026-01-02", "0o17", "7e5", "yes"])
def test_a_key_of_theirs_keeps_what_the_hub_reads(date: str) -> None:
    theirs = THEIRS.replace("x.png", date)
    before, after = (read_metadata(split_card(text)) for text in (theirs, merge_card(theirs, OURS)))
    assert after["thumbnail"] == before["thumbnail"]
    assert list(lint_block(split_card(merge_card(theirs, OURS)))) == []


def test_a_rule_and_words_are_no_metadata() -> None:
    theirs = THEIRS.replace("# T\n", "---\n\nWords between rules.\n\n---\n\n# T\n", 1)
    assert "---\n\nWords between rules.\n\n---" in merge_card(theirs, OURS)


def test_merging_does_not_slow_down_with_blank_lines() -> None:
    assert merge_card("\n" * 200_000 + "words\n", OURS).endswith("words\n")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    folder = tmp_path / "rows"
    folder.mkdir()
    (folder / "README.md").write_text(THEIRS, encoding="utf-8")
    (folder / "train.csv").write_text("text,label\nUp,1\n", encoding="utf-8")
    return folder


@pytest.fixture
def reader(hub: RunningHub, api: HfApi) -> Iterator[Reader]:
    yield Reader(connect(hub.endpoint, WRITE, Timeouts(10, 60)), Retries(tries=3, base=0.05, settle=0.05))
    configure_http_backend()


def push(rows: Path, repo_id: str, reader: Reader, **options: object) -> PushResult:
    parcel = pack_dataset(rows, Target(repo_id, "dataset"), rows.parent)
    return hub_push.publish(Push(parcel, PushOptions(proof="files", confirm=False, **options), reader))  # type: ignore[arg-type]


def save(api: HfApi, repo_id: str, content: bytes) -> None:
    edit = [CommitOperationAdd("README.md", content)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the client finds no metadata behind a byte-order mark
        api.create_commit(repo_id, edit, commit_message="by hand", repo_type="dataset")


def test_line_ends_alone_are_no_edit(rows: Path, repo_id: str, reader: Reader, api: HfApi) -> None:
    push(rows, repo_id, reader)
    save(api, repo_id, EDITORS["Windows"](THEIRS))
    push(rows, repo_id, reader)
    there = reader.content(Target(repo_id, "dataset"), "README.md", "main")
    assert there == THEIRS.encode()


def test_an_edit_by_windows_is_merged(rows: Path, repo_id: str, reader: Reader, api: HfApi) -> None:
    push(rows, repo_id, reader)
    edited = THEIRS.replace("Their words.", "Better words.").replace("- old\n", "- old\npretty_name: 1e3\n")
    save(api, repo_id, EDITORS["Windows"](edited))
    with pytest.raises(CardConflictError, match="Better words"):
        push(rows, repo_id, reader)
    push(rows, repo_id, reader, card="merge")
    there = reader.content(Target(repo_id, "dataset"), "README.md", "main") or b""
    assert b"Better words." in there and b"\r" not in there and there.startswith(b"---\n")
    assert there.count(b"\n---") == 1 and b"pretty_name: 1000.0\n" in there


def test_what_does_not_merge_into_a_good_card_is_not_sent(
    rows: Path, repo_id: str, reader: Reader, api: HfApi
) -> None:
    push(rows, repo_id, reader)
    save(api, repo_id, THEIRS.replace("Their words.", "Words.\n\n---\nlicense: gpl\n---\n").encode())
    with pytest.raises(LintError, match=r"the merged README\.md does not pass\n.*a second metadata block"):
        push(rows, repo_id, reader, card="merge")
    assert api.list_repo_commits(repo_id, repo_type="dataset")[0].title == "by hand"


@pytest.mark.parametrize("theirs", [THEIRS.replace("mit", "[mit").encode(), b"\xff---\n"])
def test_what_no_hub_could_read_is_told(theirs: bytes) -> None:
    with pytest.raises(CardConflictError, match="cannot be merged"):
        decide_card(OURS.encode(), theirs, Remote(Target("ann/x")), "merge")


@pytest.mark.parametrize("editor", ["a byte-order mark", "Windows", "a second block", "blank lines first"])
def test_a_card_of_ours_that_another_editor_saved_is_not_sent(
    editor: str, rows: Path, repo_id: str, reader: Reader
) -> None:
    (rows / "README.md").write_bytes(EDITORS[editor](THEIRS))
    with pytest.raises(LintError, match=r"README\.md:\d+: (start|second-block|yaml)"):
        push(rows, repo_id, reader)

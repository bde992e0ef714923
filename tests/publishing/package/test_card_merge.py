from __future__ import annotations

import time
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from hypothesis import given, settings
from hypothesis import strategies as st

from model_card.card.document import split_card
from model_card.lint.metadata import lint_block, read_metadata
from publishing.errors import CardConflictError
from publishing.hub.remote import Remote, Target
from publishing.package.card_merge import decide_card, merge_card
from publishing.package.card_text import decode_card, take_metadata
from tests.publishing.conftest import Publisher
from tests.publishing.package.editors import BODY, EDITORS, THEIRS

OUR_CARD = (
    "---\nlicense: mit\ntags:\n- new\n---\n\n# T\n\nOur words.\n\n"
    "<!-- finsent:begin a -->\nnew\n<!-- finsent:end a -->\n"
)


THEIR_CARD = (
    "---\nlicense: mit\ntags:\n- old\nthumbnail: x.png\n---\n\n# T\n\nTheir words.\n\n"
    "<!-- finsent:begin a -->\nold\nolder\n<!-- finsent:end a -->\n\nAnd more.\n"
)


def test_merging_keeps_free_text_and_foreign_keys_and_renews_regions() -> None:
    merged = merge_card(THEIR_CARD, OUR_CARD)
    assert merged == (
        "---\nlicense: mit\ntags:\n- new\nthumbnail: x.png\n---\n\n# T\n\nTheir words.\n\n"
        "<!-- finsent:begin a -->\nnew\n<!-- finsent:end a -->\n\nAnd more.\n"
    )
    assert merge_card(merged, OUR_CARD) == merged


def test_a_region_that_was_taken_out_stays_out() -> None:
    theirs = THEIR_CARD.partition("<!--")[0]
    assert "finsent:begin" not in merge_card(theirs, OUR_CARD)


def edit(api: HfApi, repo_id: str, old: str, new: str) -> None:
    path = api.hf_hub_download(repo_id, "README.md")
    text = Path(path).read_text(encoding="utf-8")
    assert old in text
    content = CommitOperationAdd("README.md", text.replace(old, new).encode())
    api.create_commit(repo_id, [content], commit_message="edit by hand")


def test_a_card_edited_by_hand_stops_the_push_and_shows_what_would_be_lost(
    publisher: Publisher, api: HfApi
) -> None:
    publisher.publish()
    edit(api, publisher.repo_id, "A classifier for tests.", "A classifier that we like.")
    with pytest.raises(CardConflictError, match=r"-A classifier that we like\.\n\+A classifier for tests\."):
        publisher.publish(tag=False)
    assert publisher.commits()[0] == "edit by hand"


def test_merge_keeps_their_words_renews_ours_and_goes_on_doing_so(publisher: Publisher, api: HfApi) -> None:
    publisher.publish()
    edit(api, publisher.repo_id, "A classifier for tests.", "A classifier that we like.")
    edit(api, publisher.repo_id, "| Version | `0.1.0` |", "| Version | `9.9.9` |")
    publisher.publish(tag=False, card="merge")
    text = (publisher.reader.content(publisher.target, "README.md", "main") or b"").decode()
    assert "A classifier that we like." in text and "9.9.9" not in text
    assert publisher.publish(tag=False).plan.is_empty
    assert len(publisher.commits()) == 5


def test_theirs_and_ours(publisher: Publisher, api: HfApi) -> None:
    publisher.publish()
    edit(api, publisher.repo_id, "A classifier for tests.", "A classifier that we like.")
    assert publisher.publish(tag=False, card="theirs").plan.is_empty
    assert publisher.publish(tag=False).receipt is None  # the choice holds, though nothing was committed
    publisher.publish(tag=False, card="ours")
    text = (publisher.reader.content(publisher.target, "README.md", "main") or b"").decode()
    assert "A classifier for tests." in text and len(publisher.commits()) == 4


OURS = (
    "---\nlicense: mit\ntags:\n- new\n---\n\n# T\n\nOur words.\n\n"
    "<!-- finsent:begin a -->\nnew\n<!-- finsent:end a -->\n"
)
MERGED = f"---\nlicense: mit\ntags:\n- new\nthumbnail: x.png\n---\n\n{BODY.replace('old', 'new')}"


@pytest.mark.parametrize("editor", EDITORS)
def test_merging_ends_with_one_block_and_one_line_end(editor: str) -> None:
    merged = merge_card(decode_card(EDITORS[editor](THEIRS)), decode_card(OURS.encode()))
    assert merged == MERGED
    assert list(lint_block(split_card(merged))) == []


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


@pytest.mark.parametrize("theirs", [THEIRS.replace("mit", "[mit").encode(), b"\xff---\n"])
def test_what_no_hub_could_read_is_told(theirs: bytes) -> None:
    with pytest.raises(CardConflictError, match="cannot be merged"):
        decide_card(OURS.encode(), theirs, Remote(Target("ann/x")), "merge")


fuzzed = settings(max_examples=200, deadline=None, derandomize=True, database=None)
MARKS = ("begin a", "end a", "begin b", "end b")
OURS_WITH_TWO = OUR_CARD + "\n<!-- finsent:begin b -->\n1\n2\n3\n<!-- finsent:end b -->\n"
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
    assert merge_card(decode_card(text.encode()), decode_card(OUR_CARD.encode())) == MERGED


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

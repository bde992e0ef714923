from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from publishing.errors import CardConflictError
from publishing.package.card_merge import merge_card
from tests.publishing.conftest import Publisher

OURS = (
    "---\nlicense: mit\ntags:\n- new\n---\n\n# T\n\nOur words.\n\n"
    "<!-- finsent:begin a -->\nnew\n<!-- finsent:end a -->\n"
)


THEIRS = (
    "---\nlicense: mit\ntags:\n- old\nthumbnail: x.png\n---\n\n# T\n\nTheir words.\n\n"
    "<!-- finsent:begin a -->\nold\nolder\n<!-- finsent:end a -->\n\nAnd more.\n"
)


def test_merging_keeps_free_text_and_foreign_keys_and_renews_regions() -> None:
    merged = merge_card(THEIRS, OURS)
    assert merged == (
        "---\nlicense: mit\ntags:\n- new\nthumbnail: x.png\n---\n\n# T\n\nTheir words.\n\n"
        "<!-- finsent:begin a -->\nnew\n<!-- finsent:end a -->\n\nAnd more.\n"
    )
    assert merge_card(merged, OURS) == merged


def test_a_region_that_was_taken_out_stays_out() -> None:
    theirs = THEIRS.partition("<!--")[0]
    assert "finsent:begin" not in merge_card(theirs, OURS)


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

from __future__ import annotations

import pytest

from publishing.package.card_text import decode_card, even_text, take_metadata
from tests.publishing.package.editors import BODY, EDITORS, THEIRS


@pytest.mark.parametrize(
    "editor",
    ["as it was", "a byte-order mark", "two of them", "Windows", "Windows twice", "an old Mac", "UTF-16"],
)
def test_the_text_is_the_same_whatever_saved_it(editor: str) -> None:
    assert decode_card(EDITORS[editor](THEIRS)) == THEIRS


@pytest.mark.parametrize("editor", EDITORS)
def test_metadata_and_body_are_told_apart_whatever_saved_them(editor: str) -> None:
    metadata, body = take_metadata(decode_card(EDITORS[editor](THEIRS)))
    assert (metadata["license"], metadata["tags"], metadata["thumbnail"]) == ("mit", ["old"], "x.png")
    assert body == BODY


def test_an_empty_text_stays_empty_and_another_ends_its_line() -> None:
    assert (even_text(""), even_text("a"), even_text("a\r\rb\n")) == ("", "a\n", "a\n\nb\n")


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        decode_card(b"\xff---\n")


def test_a_first_block_that_is_no_yaml_is_an_error_and_a_second_one_is_text() -> None:
    with pytest.raises(ValueError, match="expected"):
        take_metadata("---\na: [1\n---\nwords\n")
    assert take_metadata("---\na: 1\n---\n---\nb: [1\n---\n") == ({"a": 1}, "---\nb: [1\n---\n")

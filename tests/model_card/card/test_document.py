from __future__ import annotations

import pytest

from model_card.card.document import (
    CodeBlock,
    code_blocks,
    prose,
    region_marks,
    regions,
    split_card,
    without_blocks,
)


def test_a_card_is_taken_apart_without_losing_its_line_numbers() -> None:
    text = "---\nlicense: mit\ntags: [a]\n---\n\n# Title\n"
    document = split_card(text)
    assert (document.front, document.front_line) == ("license: mit\ntags: [a]", 2)
    assert document.body.split("\n").index("# Title") == text.split("\n").index("# Title")
    assert document.body_line == 6


@pytest.mark.parametrize(
    ("text", "front"),
    [
        ("# no metadata\n", None),
        ("---\nlicense: mit\n", None),  # nothing closes it
        ("---\r\nlicense: mit\r\n---\r\nx", "license: mit"),
        ("\n\n---\nlicense: mit\n---  \nx", "license: mit"),
        ("---\n\n---\nx", ""),
        ("words\n---\nlicense: mit\n---\n", None),
    ],
)
def test_metadata_are_what_the_hub_takes_for_them(text: str, front: str | None) -> None:
    document = split_card(text)
    assert document.front == front
    assert document.body == text if front is None else document.body.endswith("x")


def test_blocks_have_their_line_language_and_code() -> None:
    body = "\n```Python title=x\na = 1\n```\n\n~~~\nplain\n~~~\n\n```json\n{}\n"
    assert code_blocks(body) == [
        CodeBlock(2, "python", "a = 1\n", closed=True),
        CodeBlock(6, "", "plain\n", closed=True),
        CodeBlock(10, "json", "{}\n", closed=False),
    ]


def test_what_is_no_prose_is_blanked_where_it_stands() -> None:
    body = (
        "See `a $x` and [words](https://a.example/$y) <!-- $z -->.\n"
        "<b title='$q'>bold</b> https://b.example/$r ``two ` $t`` \\`kept\n"
        "```text\n$block\n```\nend $here\n"
    )
    text = prose(body)
    assert [len(line) for line in text.split("\n")[:2]] == [len(line) for line in body.split("\n")[:2]]
    assert text.count("$") == 1 and text.split("\n")[5] == "end $here"
    assert text.split() == ["See", "and", "[words]", ".", "bold", "\\`kept", "end", "$here"]
    assert without_blocks(body).split("\n")[2:5] == ["", "", ""]


REGIONS = (
    "# T\n<!-- finsent:begin a -->\none\ntwo\n<!-- finsent:end a -->\n<!-- finsent:end b -->\n"
    "```html\n<!-- finsent:begin c -->\n```\n<!-- finsent:begin a -->\n<!-- finsent:end a -->\n"
)


def test_a_mark_that_stands_twice_begins_where_it_did_first() -> None:
    mark = "<!-- finsent:{} a -->\n"
    assert regions(mark.format("begin") + mark.format("begin") + mark.format("end")) == {"a": (2, 2)}


def test_a_region_is_what_stands_between_its_marks_and_the_first_of_a_name_counts() -> None:
    assert regions(REGIONS) == {"a": (3, 4)}
    assert list(region_marks(REGIONS)) == [
        (2, "begin", "a"), (5, "end", "a"), (6, "end", "b"), (10, "begin", "a"), (11, "end", "a"),
    ]  # fmt: skip


@pytest.mark.timeout(20)
@pytest.mark.parametrize("part", ["\n", "`", "<!--", "[", "---\n"])
def test_a_long_card_takes_no_more_than_its_length(part: str) -> None:
    document = split_card("---\n" + part * 50_000)
    assert len(prose(document.body).split("\n")) == document.body.count("\n") + 1

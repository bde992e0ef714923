from __future__ import annotations

import pytest

from finsent.data.tables.columns import guess_columns
from finsent.data.tables.table import Table
from finsent.errors import DataError

TEXTS = [f"this is the text of row {number}" for number in range(60)]
LABELS = ["old", "new"] * 30


def table(**columns: list[str]) -> Table:
    return Table("rows.csv", columns)


@pytest.mark.parametrize(
    ("columns", "text", "label"),
    [
        ({"text": TEXTS, "label": LABELS}, "text", "label"),
        ({"kind": LABELS, "body": TEXTS}, "body", "kind"),
        ({"id": [str(n) for n in range(60)], "a": LABELS, "b": TEXTS}, "b", "a"),
        (
            {"Title": ["A title"] * 60, "Review": TEXTS, "Stars": [str(n % 5) for n in range(60)]},
            "Review",
            "Stars",
        ),
        ({"x": TEXTS, "label": ["0", "1"] * 30, "split": ["a", "b", "c"] * 20}, "x", "label"),
        ({"text": ["배송이아주늦었습니다"] * 59 + ["좋아요"], "tag": LABELS}, "text", "tag"),
    ],
)
def test_columns_are_known_by_name_or_by_what_they_hold(
    columns: dict[str, list[str]], text: str, label: str
) -> None:
    found = guess_columns(table(**columns), None, None)
    assert (found.text.name, found.label.name) == (text, label)


def test_what_a_person_names_is_taken() -> None:
    found = guess_columns(table(a=TEXTS, b=TEXTS[::-1], kind=LABELS, label=LABELS), "b", "kind")
    assert (found.text.name, found.label.name) == ("b", "kind")
    assert found.text.reason == "named by --text"


def test_rows_that_share_an_id_are_tied() -> None:
    users = [f"u{number // 2}" for number in range(60)]
    found = guess_columns(table(text=TEXTS, label=LABELS, userId=users), None, None).group
    assert found is not None and found.name == "userId" and found.reason.startswith("60 rows share")
    own = [f"u{number}" for number in range(60)]
    assert guess_columns(table(text=TEXTS, label=LABELS, id=own), None, None).group is None


@pytest.mark.parametrize(
    ("columns", "text", "label", "message"),
    [
        ({"text": TEXTS, "kind": LABELS}, "body", None, "no column 'body'; choose another with --text"),
        ({"text": TEXTS, "a": LABELS, "b": LABELS[::-1]}, None, None, r"several columns.* --label: 'a' \(2"),
        ({"text": TEXTS, "score": [f"0.{n}1" for n in range(60)]}, None, None, "looks like a label"),
        ({"a": ["1"] * 60, "b": ["2"] * 60}, None, None, "no column looks like a text"),
        ({"text": TEXTS}, None, None, "no column looks like a label; choose one with --label: none"),
    ],
)  # fmt: skip
def test_what_cannot_be_guessed_is_asked_for(
    columns: dict[str, list[str]], text: str | None, label: str | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        guess_columns(table(**columns), text, label)

"""The changes leave a text true, and every one of them differs from it."""

from __future__ import annotations

import pytest

from model_card.behaviour.changes import CHANGES

LINK = "https://t.co/aB"


@pytest.mark.parametrize(
    ("name", "text", "changed"),
    [
        ("case", "Ships on time", ["SHIPS ON TIME", "ships on time", "Ships On Time"]),
        ("case", f"late {LINK}", [f"LATE {LINK}", f"Late {LINK}"]),
        ("case", "배송이 빨라요", []),
        ("punctuation", "Late, again", ["Late, again.", "“Late, again”", "Late,  again", "Late again"]),
        ("punctuation", "とても良い。", ["“とても良い。”"]),
        ("punctuation", f"late {LINK}", [f"“late {LINK}”", f"late  {LINK}"]),
        ("typos", "a package", ["a packkage", "a pacakge"]),
        ("typos", "배송이빨라요", ["배송이빨빨라요"]),
        ("typos", "доставка", ["достаавка", "доствака"]),
        ("typos", f"too {LINK}", []),
        ("length", "late", ["late late"]),
    ],
)
def test_changes(name: str, text: str, changed: list[str]) -> None:
    assert list(CHANGES[name](text)) == changed


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("text", ["", " ", "?", "🙂", "a", "نص عربي طويل", "x" * 5, LINK])
def test_whatever_stands_there_is_changed_or_left(name: str, text: str) -> None:
    changed = list(CHANGES[name](text))
    assert text not in changed and len(set(changed)) == len(changed)

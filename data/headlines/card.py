"""The statistics in README.md: computed from the rows, written between two markers, compared later."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from sklearn.metrics import cohen_kappa_score

from data.headlines.corpus import (
    EVENTS,
    FILES,
    KINDS,
    LABELS,
    SECOND_LABELS,
    SPLITS,
    STYLES,
    Finding,
    Headline,
    SecondLabel,
)
from data.headlines.rules import group_rows, most_frequent_opening
from finsent.text import comparable

CARD = "README.md"
BEGIN = "<!-- statistics: written by `python data/headlines/check.py --write` -->"
END = "<!-- end of statistics -->"
COMMAND = "run `python data/headlines/check.py --write`"


def make_block(rows: list[Headline], second: list[SecondLabel]) -> str:
    """Return the statistics as Markdown, markers included. Same rows, same bytes."""
    parts = [
        _by_label("file", FILES, rows),
        _by_label("event", EVENTS, rows),
        _by_label("style", STYLES, rows),
        _hard_kinds(rows),
        _words(rows),
        describe_second_reading(second, rows),
    ]
    return "\n\n".join([BEGIN, *parts, END])


def check_card(folder: Path, block: str) -> list[Finding]:
    """Return a finding when the card's block is not the one that the rows give."""
    try:
        _, old, _, line = _cut(folder)
    except ValueError as error:
        return [Finding(CARD, 0, str(error))]
    for number, (was, now) in enumerate(zip(old.splitlines(), block.splitlines(), strict=False), line):
        if was != now:
            return [Finding(CARD, number, f"statistics are {was!r}, the rows give {now!r}; {COMMAND}")]
    return [] if old == block else [Finding(CARD, line, f"statistics differ in length; {COMMAND}")]


def write_card(folder: Path, block: str) -> None:
    """Replace the card's block. Raises ValueError if there is no card or not one of each marker."""
    before, _, after, _ = _cut(folder)
    (folder / CARD).write_text(before + block + after, encoding="utf-8")


def agreement(pairs: Sequence[tuple[str, str]]) -> tuple[float, float]:
    """Return the share of (first, second) labels that agree, and Cohen's kappa. ValueError without pairs."""
    if not pairs:
        raise ValueError("no labels to compare")
    first, second = zip(*pairs, strict=True)
    same = sum(a == b for a, b in pairs) / len(pairs)
    # kappa is 0 / 0 where all labels are one and the same: agreement that says nothing
    kappa = 0.0 if len({*first, *second}) == 1 else float(cohen_kappa_score(first, second, labels=LABELS))
    return same, kappa


def describe_second_reading(second: list[SecondLabel], rows: list[Headline]) -> str:
    """Return the paragraph and table on the second reading, or the sentence that there was none yet."""
    if not second:
        return "Second reading: none yet; the labels were given once."
    now = {row.id: row for row in rows}
    pairs = {one.id: (one.first or now[one.id].label, one.second) for one in second}
    kept = all(one.first for one in second)
    against = "the labels as they were first given" if kept else "the labels as they are now"
    changed = sum(key in now and now[key].label != first for key, (first, _) in pairs.items())
    dropped = len(pairs.keys() - now.keys())
    return (
        "Second reading: the same annotator labelled these rows twice, the second time in another order "
        f"and without seeing the first label. The table compares the second labels (`{SECOND_LABELS}`) with "
        f"{against}. "
        "This is the consistency of one annotator, not agreement between people. "
        f"Since then, {changed} of these labels were changed and {dropped} of these rows were dropped.\n\n"
        + _agreement_by_split(pairs, {row.id: row.split for row in rows})
    )


def _agreement_by_split(pairs: dict[str, tuple[str, str]], splits: dict[str, str]) -> str:
    table = [["rows read again", "n", "agreement", "Cohen's kappa"]]
    for name in ("all", *SPLITS):
        if chosen := [pair for key, pair in pairs.items() if name in ("all", splits.get(key))]:
            same, kappa = agreement(chosen)
            table.append([name, str(len(chosen)), f"{same:.1%}", f"{kappa:.3f}"])
    return _table(table)


def _by_label(column: str, values: Iterable[str], rows: list[Headline]) -> str:
    table = [[column, *LABELS, "rows"]]
    for value in values:
        counts = Counter(row.label for row in rows if getattr(row, column) == value)
        table.append([value, *(str(counts[label]) for label in LABELS), str(counts.total())])
    total = Counter(row.label for row in rows)
    return _table([*table, ["all", *(str(total[label]) for label in LABELS), str(len(rows))]])


def _hard_kinds(rows: list[Headline]) -> str:
    table = [["kind (`pair`)", "groups", "rows", "groups in test"]]
    groups = group_rows(rows)
    for kind in KINDS:
        members = [group for group in groups.values() if group[0].kind == kind]
        in_test = sum(group[0].split == "test" for group in members)
        table.append([kind, str(len(members)), str(sum(map(len, members))), str(in_test)])
    return _table(table)


def _words(rows: list[Headline]) -> str:
    lengths = [len(row.text.split()) for row in rows]
    tokens = [token for row in rows for token in comparable(row.text).split()]
    counts = Counter(tokens)
    once = sum(count == 1 for count in counts.values())
    tenths = statistics.quantiles(lengths, n=20)
    opening, most = most_frequent_opening(rows)
    return "\n".join(
        [
            f"- Words in a text: {min(lengths)} to {max(lengths)}, median {statistics.median(lengths):.0f}, "
            f"5th to 95th percentile {tenths[0]:.0f} to {tenths[-1]:.0f}.",
            f"- Vocabulary: {len(tokens):,} tokens, {len(counts):,} types "
            f"({len(counts) / len(tokens):.3f} types per token); {once:,} types occur once.",
            f"- Most frequent first four words: “{opening}”, {most} of {len(rows):,} texts.",
        ]
    )


def _table(lines: list[list[str]]) -> str:
    rule = ["---", *("---:" for _ in lines[0][1:])]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [lines[0], rule, *lines[1:]])


def _cut(folder: Path) -> tuple[str, str, str, int]:
    """Return the card before, in and after the block, and the line where the block begins."""
    path = folder / CARD
    if not path.is_file():
        raise ValueError("is missing; write the dataset card with the two markers of the statistics")
    text = path.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"needs the lines {BEGIN!r} and {END!r} once each, in this order")
    start, stop = text.index(BEGIN), text.index(END) + len(END)
    return text[:start], text[start:stop], text[stop:], text.count("\n", 0, start) + 1

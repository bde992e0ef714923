"""What the corpus promises, one function a rule: each yields findings that say what to mend and where."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

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
from data.headlines.likeness import find_alike
from finsent.text import comparable

ID = re.compile(r"h\d{4,5}")
PAIR = re.compile(rf"({'|'.join(KINDS)})-[a-z]+\d+")
CORPUS = "*.csv"  # where a finding is about all rows
OPENING = 4  # words


@dataclass(frozen=True)
class Limits:
    """Least and greatest figures; shares are 0..1, lengths are words, kinds count groups."""

    rows: int = 8500
    test_rows: int = 1150
    event_rows: int = 40
    label_share_of_event: float = 0.75
    opening_share: float = 0.01
    similarity: float = 0.6
    words: tuple[int, int] = (3, 60)
    kinds: Mapping[str, int] = field(
        default_factory=lambda: {
            "contrast": 1900,
            "negation": 200,
            "companies": 100,
            "numeric": 650,
            "decoy": 80,
        }
    )


def check_rows(rows: list[Headline], limits: Limits) -> list[Finding]:
    """Apply every rule and return what they find, by file and line."""
    found = {finding for rule in RULES for finding in rule(rows, limits)}
    return sorted(found, key=lambda finding: (finding.file, finding.line, finding.message))


def check_second_labels(second: list[SecondLabel], rows: list[Headline]) -> Iterator[Finding]:
    """Hold the second reading's ids and labels; an unknown id is fine where its first label is kept."""
    known = {row.id for row in rows}
    seen: set[str] = set()
    for one in second:
        if one.id in seen:
            yield Finding(SECOND_LABELS, one.line, f"id {one.id!r} appears twice; keep one line")
        seen.add(one.id)
        for value in (one.second, one.first or LABELS[0]):
            if value not in LABELS:
                yield Finding(SECOND_LABELS, one.line, f"label {value!r}; allowed: {', '.join(LABELS)}")
        if one.id not in known and not one.first:
            message = f"id {one.id!r} is in no split; add a column 'first' with the label that it had"
            yield Finding(SECOND_LABELS, one.line, message)


def _values(rows: list[Headline], limits: Limits) -> Iterator[Finding]:
    allowed = {"label": LABELS, "event": EVENTS, "style": STYLES, "split": SPLITS}
    for row in rows:
        for column, values in allowed.items():
            if (value := getattr(row, column)) not in values:
                yield _at(row, f"{column} {value!r}; allowed: {', '.join(values)}")
        if row.split != FILES[row.file]:
            yield _at(row, f"split {row.split!r} in {row.file}; move the row or correct the column")
        if row.pair and not PAIR.fullmatch(row.pair):
            yield _at(
                row, f"pair {row.pair!r}; write <kind>-<letters><number>, kind one of {', '.join(KINDS)}"
            )


def _ids(rows: list[Headline], limits: Limits) -> Iterator[Finding]:
    first: dict[str, Headline] = {}
    for row in rows:
        if not ID.fullmatch(row.id):
            yield _at(row, f"id {row.id!r}; write h and four or five digits")
        elif row.id in first:
            yield _at(row, f"id {row.id!r} is that of {_place(first[row.id])}; take a number that is free")
        first.setdefault(row.id, row)


def _texts(rows: list[Headline], limits: Limits) -> Iterator[Finding]:
    least, most = limits.words
    for row in rows:
        if not row.text.strip():
            yield _at(row, "the text is empty; write it or remove the row")
            continue
        if hidden := [char for char in row.text if _is_hidden(char)]:
            yield _at(row, f"control character {hidden[0]!r} in the text; remove it")
        if row.text != row.text.strip() or "  " in row.text:
            yield _at(row, "blanks around the text or two in a row; remove them")
        if unicodedata.normalize("NFC", row.text) != row.text:
            yield _at(row, "the text is not in Unicode's form NFC; save accents as one character each")
        if not least <= (words := len(row.text.split())) <= most:
            yield _at(row, f"{words} words; a text has {least} to {most}")


def _is_hidden(char: str) -> bool:
    """Return whether a character cannot be seen; the joiner of emoji is not one of them."""
    return unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs") and char != "\u200d"


def _counts(rows: list[Headline], limits: Limits) -> Iterator[Finding]:
    test = sum(row.split == "test" for row in rows)
    for name, count, least in (("rows", len(rows), limits.rows), ("test rows", test, limits.test_rows)):
        if count < least:
            yield Finding(CORPUS, 0, f"{count} {name}; write at least {least}")
    groups = Counter(pair.partition("-")[0] for pair in {row.pair for row in rows if row.pair})
    for kind, least in limits.kinds.items():
        if groups[kind] < least:
            yield Finding(CORPUS, 0, f"{groups[kind]} groups of kind {kind!r}; write at least {least}")


def _events(rows: list[Headline], limits: Limits) -> Iterator[Finding]:
    labels = {event: Counter(row.label for row in rows if row.event == event) for event in EVENTS}
    for event, counts in labels.items():
        total = counts.total()
        if total < limits.event_rows:
            yield Finding(CORPUS, 0, f"event {event!r}: {total} rows; write at least {limits.event_rows}")
            continue
        if missing := [label for label in LABELS if not counts[label]]:
            yield Finding(CORPUS, 0, f"event {event!r}: no row is {missing[0]}; write some")
        label, most = counts.most_common(1)[0]
        if most > limits.label_share_of_event * total:
            message = f"event {event!r}: {most} of {total} rows are {label}; write some of the others"
            yield Finding(CORPUS, 0, message)


def _exact_duplicates(rows: list[Headline], limits: Limits) -> Iterator[Finding]:
    """Find texts of the same letters and digits, even in a pair: training would drop or count them once."""
    first: dict[str, Headline] = {}
    for row in rows:
        twin = first.setdefault(comparable(row.text), row)
        if twin is not row and row.text.strip():
            yield _at(
                row, f"same letters and digits as {_place(twin)}; change or remove one: {row.text[:60]!r}"
            )


def _near_duplicates(rows: list[Headline], limits: Limits) -> Iterator[Finding]:
    for alike in find_alike([row.text for row in rows], None, limits.similarity):
        row, twin = rows[alike.left], rows[alike.right]
        if alike.similarity < 1 and not (row.pair and row.pair == twin.pair):
            yield _at(
                row, f"{alike.similarity:.2f} alike to {_place(twin)}; rewrite one or give both one pair"
            )


def _openings(rows: list[Headline], limits: Limits) -> Iterator[Finding]:
    opening, count = most_frequent_opening(rows)
    if count > 1 and count >= limits.opening_share * len(rows):
        places = ", ".join(_place(row) for row in rows if opening_of(row.text) == opening)
        yield Finding(CORPUS, 0, f"{count} texts begin with {opening!r} ({places[:120]}); vary them")


def _pairs(rows: list[Headline], limits: Limits) -> Iterator[Finding]:
    for key, members in group_rows(rows).items():
        first = members[0]
        if len({row.split for row in members}) > 1:
            yield _at(first, f"{key} crosses splits ({_places(members)}); move the rows into one")
        if message := _judge_group(first.kind, members):
            yield _at(first, f"{key} {message} ({_places(members)})")


def _judge_group(kind: str, members: list[Headline]) -> str:
    """Return what is wrong with a group, or an empty string."""
    labels = {row.label for row in members}
    if kind == "contrast":
        if len(members) != 2:
            return f"has {len(members)} rows; a contrast pair has two"
        return "" if len(labels) == 2 else f"has one label, {labels.pop()}; one change must turn it"
    if kind == "paraphrase":
        if len(members) not in (2, 3):
            return f"has {len(members)} rows; paraphrases come in twos or threes"
        return "" if len(labels) == 1 else f"has labels {', '.join(sorted(labels))}; paraphrases share one"
    if len(members) > 1:
        return f"has {len(members)} rows; give each a key of its own"
    return "is not neutral; a decoy is" if kind == "decoy" and labels != {"neutral"} else ""


def group_rows(rows: Iterable[Headline]) -> dict[str, list[Headline]]:
    """Return the rows of each group key, rows that are alone left out."""
    groups: dict[str, list[Headline]] = defaultdict(list)
    for row in rows:
        if row.pair:
            groups[row.pair].append(row)
    return groups


def opening_of(text: str) -> str:
    """Return the first four words of a text, letters and digits only."""
    return " ".join(comparable(text).split()[:OPENING])


def most_frequent_opening(rows: list[Headline]) -> tuple[str, int]:
    """Return the first four words that most texts share, and how many; ("", 0) without rows."""
    counts = Counter(opening_of(row.text) for row in rows)
    return max(counts.items(), key=lambda item: (item[1], item[0]), default=("", 0))


def _at(row: Headline, message: str) -> Finding:
    return Finding(row.file, row.line, message)


def _place(row: Headline) -> str:
    return f"{row.file}:{row.line}"


def _places(rows: Iterable[Headline]) -> str:
    return ", ".join(map(_place, rows))


Rule = Callable[[list[Headline], Limits], Iterator[Finding]]
RULES: tuple[Rule, ...] = (
    _values,
    _ids,
    _texts,
    _counts,
    _events,
    _exact_duplicates,
    _near_duplicates,
    _openings,
    _pairs,
)

"""An inspection in words: lines for a log, tables for a terminal, and a few lines at the top of a run."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from finsent.cautions import percent, unknown_share
from finsent.cli import plain
from finsent.data.inspection import Inspection, Lengths
from finsent.data.unlabelled import TextsReport

LONGEST_EXAMPLE = 80  # characters of a dropped row
METHODS = {"exact": "all pairs compared", "minhash": "candidates by MinHash, then compared"}
LEFT_OUT, LEFT_OUT_OF = "In no split", "Left out of"  # titles of tables with texts in them
Cells = tuple[str, ...]
Sheet = tuple[str, Cells, list[Cells]]


def tell_briefly(found: Inspection) -> list[str]:
    """Return what stands at the top of a run."""
    sizes = ", ".join(f"{sum(labels.values()):,} {split}" for split, labels in found.rows.items())
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in found.dropped.items())
    return [
        f"  rows: {sizes}; the largest class is {found.imbalance:.1f} times the smallest",
        *([f"  in no split: {dropped}"] if dropped else []),
        f"  near-duplicates: {_tell_groups(found)}",
        f"  tokens: median {found.tokens.median}, most {found.tokens.most}; "
        f"unknown words: {percent(unknown_share(found.scripts))}",
        *(f"  caution: {caution}" for caution in found.cautions),
    ]


def tell(found: Inspection) -> list[str]:
    """Return all that was found, a fact a line: `what: figures`."""
    lines = []
    for title, head, rows in _tables(found):
        for first, *cells in rows:
            told = ", ".join(f"{name} {cell}" for name, cell in zip(head[1:], cells, strict=True))
            lines.append(f"{title.lower()}: {first}: {told}")
    return [*lines, *_facts(found)]


def print_tables(found: Inspection, console: Console) -> None:
    """Print all that was found as tables."""
    for title, head, rows in _tables(found):
        table = Table(title=title, title_justify="left")
        for place, name in enumerate(head):
            table.add_column(
                name, justify="right" if place and not title.startswith((LEFT_OUT, LEFT_OUT_OF)) else "left"
            )
        for cells in rows:
            table.add_row(*map(plain, cells))
        if rows:
            console.print(table, markup=False)
    for fact in _facts(found):
        console.print(plain(fact), markup=False, soft_wrap=True)


def _tables(found: Inspection) -> Iterator[Sheet]:
    """Yield title, head and rows of each table."""
    labels = sorted({label for counts in found.rows.values() for label in counts})
    by_label = [(label, *(f"{counts.get(label, 0):,}" for counts in found.rows.values())) for label in labels]
    total = ("all", *(f"{sum(counts.values()):,}" for counts in found.rows.values()))
    lengths: list[Cells] = [
        ("characters", *_length_cells(found.characters)),
        ("tokens", *_length_cells(found.tokens)),
    ]
    words: list[Cells] = [
        (script, f"{one.words:,}", percent(one.unknown / one.words)) for script, one in found.scripts.items()
    ]
    yield "Rows", ("label", *found.rows), [*by_label, total]
    yield _dropped_table(LEFT_OUT, "rows", found.dropped, found.examples)
    yield "Lengths", ("of", "median", "95 %", "most", "bound", "beyond it"), lengths
    yield "Words", ("script", "words", "unknown"), words
    for name, one in found.unlabelled.items():
        yield _dropped_table(f"{LEFT_OUT_OF} {name}", "texts", one.left_out, one.examples)


def _dropped_table(title: str, unit: str, dropped: dict[str, int], examples: dict[str, list[str]]) -> Sheet:
    rows: list[Cells] = [
        (reason, f"{count:,}", " | ".join(_shorten(text) for text in examples.get(reason, ())))
        for reason, count in dropped.items()
    ]
    return title, ("reason", unit, "for example"), rows


def _facts(found: Inspection) -> list[str]:
    return [
        f"read: {', '.join(f'{count:,} of {name}' for name, count in found.read.items())}",
        f"lengths and words are of {found.sampled:,} rows",
        f"near-duplicates: {_tell_groups(found)}",
        f"texts in two splits: {found.leaked}",
        f"largest class: {found.imbalance:.1f} times the smallest, in training rows",
        *(f"without labels: {name}: {_tell_texts(one)}" for name, one in found.unlabelled.items()),
        *(f"caution: {caution}" for caution in found.cautions),
    ]


def _tell_texts(found: TextsReport) -> str:
    lines = f"; {found.repeated_lines:,} repeated lines removed" if found.repeated_lines else ""
    return f"{found.texts:,} texts of {found.characters:,} characters{lines}"


def _tell_groups(found: Inspection) -> str:
    method = METHODS[found.near_duplicate_method]
    return f"{found.near_duplicate_groups:,} groups of rows kept together ({method})"


def _length_cells(one: Lengths) -> Cells:
    return f"{one.median:,}", f"{one.p95:,}", f"{one.most:,}", f"{one.bound:,}", percent(one.over)


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_EXAMPLE else f"{line[: LONGEST_EXAMPLE - 1]}…"

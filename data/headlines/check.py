"""Check the headlines: schema, counts, duplicates, pairs, balance, and the data card's statistics.

\b
python data/headlines/check.py            print a table, or exit 1 with file:line and what to do
python data/headlines/check.py --write    update the statistics in README.md first
FINSENT_MIRROR=dir python data/headlines/check.py    also compare with every third-party text in dir/datasets
"""  # noqa: D301  (click wants the character itself)

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

if not __package__:  # run as a file: Python has put this folder on the path instead of the repository's root
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from data.headlines.card import check_card, make_block, write_card
from data.headlines.corpus import FILES, FOLDER, Finding, Headline, read_corpus, read_second_labels
from data.headlines.likeness import find_alike, read_foreign_texts
from data.headlines.rules import Limits, check_rows, check_second_labels
from finsent.cli import print_anywhere

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def check_corpus(folder: Path, limits: Limits, write: bool = False) -> tuple[list[Finding], str]:
    """Return what is wrong in a folder and its block of statistics (empty where rows cannot be read).

    `write` puts the block into the card, unless the rows have findings.
    """
    rows, findings = read_corpus(folder)
    second, unread = read_second_labels(folder)
    findings += unread
    if findings:
        return findings, ""
    findings += [*check_rows(rows, limits), *check_second_labels(second, rows)]
    if findings:
        return findings, ""
    block = make_block(rows, second)
    if write:
        write_card(folder, block)
    return check_card(folder, block), block


def check_overlap(rows: list[Headline], mirror: Path, similarity: float) -> tuple[list[Finding], int]:
    """Return rows that are too like a text of the mirror, and how many texts there were.

    Raises FileNotFoundError when the mirror holds none.
    """
    foreign = read_foreign_texts(mirror)
    if not foreign:
        raise FileNotFoundError(
            f"FINSENT_MIRROR: no text in {mirror / 'datasets'}; it holds CSV or zip files"
        )
    findings = []
    for alike in find_alike([row.text for row in rows], foreign, similarity):
        row, text = rows[alike.left], foreign[alike.right]
        message = f"{alike.similarity:.2f} alike to a third-party text, {text[:80]!r}; rewrite the row"
        findings.append(Finding(row.file, row.line, message))
    return findings, len(foreign)


@app.command(help=__doc__)
def main(
    folder: Annotated[Path, typer.Argument(help=f"{', '.join(FILES)}, README.md")] = FOLDER,
    write: Annotated[bool, typer.Option("--write", help="write the statistics into README.md")] = False,
) -> None:
    """Print the figures, or what is wrong and exit 1."""
    limits = Limits()
    try:
        findings, block = check_corpus(folder, limits, write)
        if mirror := os.environ.get("FINSENT_MIRROR"):
            overlap, texts = check_overlap(read_corpus(folder)[0], Path(mirror), limits.similarity)
            findings += overlap
            print(f"compared with {texts} third-party texts: {len(overlap)} too alike", file=sys.stderr)
    except (OSError, ValueError) as error:
        print(f"{folder}: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    for finding in findings:
        print(folder / str(finding) if folder != FOLDER else f"data/headlines/{finding}")
    if findings:
        print(f"{len(findings)} finding{'s' if len(findings) > 1 else ''}", file=sys.stderr)
        raise typer.Exit(1)
    print("\n".join(block.splitlines()[2:-2]))


if __name__ == "__main__":
    print_anywhere()
    app()

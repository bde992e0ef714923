"""The headlines as they lie on disk: columns, allowed values, and reading with line numbers.

A row that cannot be read becomes a finding instead of an error, so that one run of the check names them all.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ("id", "text", "label", "event", "style", "pair", "split")
SPLITS = ("train", "validation", "test")
FILES = {
    "train.csv": "train",
    "statements.csv": "train",
    "posts.csv": "train",
    "validation.csv": "validation",
    "test.csv": "test",
}
LABELS = ("negative", "neutral", "positive")
STYLES = ("headline", "statement", "tweet", "indian", "uk", "question", "quote")
KINDS = ("contrast", "negation", "companies", "numeric", "decoy", "paraphrase")
EVENTS = (
    "commentary",
    "commodities",
    "company-news",
    "contracts",
    "corporate-statements",
    "crypto",
    "dividends",
    "earnings",
    "financing",
    "general-news",
    "guidance",
    "layoffs",
    "listing",
    "litigation",
    "macro",
    "management",
    "market-wraps",
    "mergers",
    "products",
    "ratings",
    "real-estate",
    "scheduled",
)
FOLDER = Path(__file__).resolve().parent
SECOND_LABELS = "second_labels.csv"


@dataclass(frozen=True)
class Headline:
    """One labelled text; `pair` is a group key or empty, `file` and `line` say where it is."""

    id: str
    text: str
    label: str
    event: str
    style: str
    pair: str
    split: str
    file: str
    line: int

    @property
    def kind(self) -> str:
        """The kind of its group (`contrast`, `negation`, …), empty for a row on its own."""
        return self.pair.partition("-")[0]


@dataclass(frozen=True)
class SecondLabel:
    """The label that a second reading gave to a row; `first` is empty where the file does not keep it."""

    id: str
    first: str
    second: str
    line: int


@dataclass(frozen=True)
class Finding:
    """What is wrong, where, and what to do about it. Line 0 stands for the file as a whole."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        """Return `file:line: message`, as compilers and editors have it."""
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


def read_corpus(folder: Path) -> tuple[list[Headline], list[Finding]]:
    """Return the rows of all files in file order, and what could not be read."""
    rows: list[Headline] = []
    findings: list[Finding] = []
    for file in FILES:
        for line, values in _read_table(folder / file, (COLUMNS,), findings):
            number, text, label, event, style, pair, split = values
            rows.append(Headline(number, text, label, event, style, pair, split, file, line))
    return rows, findings


def read_second_labels(folder: Path) -> tuple[list[SecondLabel], list[Finding]]:
    """Return the labels of the second reading and what could not be read; nothing where no file is there."""
    findings: list[Finding] = []
    path = folder / SECOND_LABELS
    if not path.is_file():
        return [], findings
    read = list(_read_table(path, (("id", "label"), ("id", "first", "second")), findings))
    return [SecondLabel(v[0], v[1] if len(v) == 3 else "", v[-1], line) for line, v in read], findings


def _read_table(
    path: Path, headers: tuple[tuple[str, ...], ...], findings: list[Finding]
) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of a CSV whose header is one of `headers`; the rest is added to `findings`."""
    try:
        content = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        findings.append(Finding(path.name, 0, "is missing; write it with the header " + ",".join(headers[0])))
        return
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        findings.append(Finding(path.name, line, f"byte {error.start} is not UTF-8; save the file as UTF-8"))
        return
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    try:
        header = tuple(next(reader, []))
        if header not in headers:
            allowed = " or ".join(",".join(columns) for columns in headers)
            findings.append(Finding(path.name, 1, f"header is {','.join(header)!r}; write {allowed}"))
            return
        for cells in reader:
            if len(cells) == len(header):
                yield reader.line_num, cells
            else:
                message = f"{len(cells)} fields instead of {len(header)}; quote a text that holds a comma"
                findings.append(Finding(path.name, reader.line_num, message))
    except csv.Error as error:
        findings.append(Finding(path.name, reader.line_num, f"is not CSV ({error}); quote the text properly"))

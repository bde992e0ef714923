"""The results of a run, filtered, sorted and read back page by page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from inference.classifier import replace_surrogates

from batch import Columns, Result

PAGE_ROWS = 50


@dataclass(frozen=True)
class Line:
    """One row as the result page shows it; label, score and shares are None for a row with a problem."""

    number: int
    text: str
    label: str | None
    score: float | None
    shares: list[float | None]
    unsure: bool
    problem: str | None


@dataclass(frozen=True)
class Page:
    """A page of lines, of `pages`; `total` rows pass the filter."""

    lines: list[Line]
    page: int
    pages: int
    total: int


def orders(labels: list[str]) -> dict[str, tuple[str, str]]:
    """Return the ways to sort: what is shown -> (key, direction)."""
    shown = {
        "as uploaded": ("row", "ascending"),
        "least sure first": ("score", "ascending"),
        "surest first": ("score", "descending"),
        "text, A to Z": ("text", "ascending"),
    }
    return shown | {f"most {label} first": (label, "descending") for label in labels}


def filters(labels: list[str]) -> list[str]:
    """Return the ways to filter by answer."""
    return ["all rows", *labels, "unsure", "with a problem"]


def read_page(result: Result, show: str, contains: str, order: str, page: int) -> Page:
    """Return a page of the rows that pass both filters, in the order that is named as in `orders`."""
    names = result.columns
    shown = [names.text, names.label, names.score, *names.shares.values(), names.unsure, names.problem]
    table = pq.read_table(result.parquet, columns=shown)
    text = table[names.text].cast(pa.string()) if not _is_text(table[names.text]) else table[names.text]
    mask = _mask(table, names, show)
    if contains:
        found = pc.match_substring(text, replace_surrogates(contains), ignore_case=True)
        mask = pc.and_(mask, pc.fill_null(found, False))
    key, direction = orders(result.labels)[order]
    by = {"row": pa.chunked_array([np.arange(table.num_rows)]), "score": table[names.score], "text": text}
    by |= {label: table[name] for label, name in names.shares.items()}
    chosen = pc.sort_indices(pa.table({"by": by[key]}), sort_keys=[("by", direction)])
    chosen = chosen.filter(pc.take(mask, chosen))
    pages = max(1, -(-len(chosen) // PAGE_ROWS))
    page = min(max(1, page), pages)
    window = chosen.slice((page - 1) * PAGE_ROWS, PAGE_ROWS)
    return Page(_lines(table.take(window), window.to_pylist(), names), page, pages, len(chosen))


def _is_text(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _mask(table: pa.Table, names: Columns, show: str) -> Any:  # noqa: ANN401  (pyarrow has no types)
    if show == "unsure":
        return pc.fill_null(table[names.unsure], False)
    if show == "with a problem":
        return pc.is_valid(table[names.problem])
    if show == "all rows":
        return pa.chunked_array([np.ones(table.num_rows, dtype=bool)])
    return pc.fill_null(pc.equal(table[names.label], show), False)


def _lines(table: pa.Table, positions: list[int], names: Columns) -> list[Line]:
    shares = [table[name].to_pylist() for name in names.shares.values()]
    columns = zip(
        positions,
        table[names.text].to_pylist(),
        table[names.label].to_pylist(),
        table[names.score].to_pylist(),
        zip(*shares, strict=True),
        table[names.unsure].to_pylist(),
        table[names.problem].to_pylist(),
        strict=True,
    )
    return [
        Line(number + 1, "" if text is None else str(text), label, score, list(parts), bool(unsure), problem)
        for number, text, label, score, parts, unsure, problem in columns
    ]

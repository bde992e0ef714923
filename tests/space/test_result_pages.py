from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
import result_pages
from batch import Result
from result_pages import read_page


def numbers(
    result: Result, show: str = "all rows", contains: str = "", order: str = "as uploaded"
) -> list[int]:
    return [line.number for line in read_page(result, show, contains, order, 1).lines]


def test_filters(result: Result) -> None:
    assert numbers(result) == list(range(1, 10))
    assert numbers(result, "with a problem") == [2, 4, 5, 6]
    assert numbers(result, contains="<B>") == [7]
    assert numbers(result, contains="(") == []
    by_label = [numbers(result, label) for label in result.labels]
    assert sorted(number for found in by_label for number in found) == [1, 3, 7, 8, 9]
    table = pq.read_table(result.parquet)
    assert len(numbers(result, "unsure")) == result.unsure == sum(map(bool, table["unsure"].to_pylist()))


def test_orders(result: Result) -> None:
    table = pq.read_table(result.parquet)
    scores = np.array([np.nan if one is None else one for one in table["score"].to_pylist()])
    surest = [number - 1 for number in numbers(result, order="surest first")][:5]
    assert list(scores[surest]) == sorted(scores[~np.isnan(scores)], reverse=True)
    least = [number - 1 for number in numbers(result, order="least sure first")][:5]
    assert list(scores[least]) == sorted(scores[~np.isnan(scores)])
    label = result.labels[0]
    most = numbers(result, order=f"most {label} first")[0] - 1
    assert table[f"p {label}"][most].as_py() == max(filter(None, table[f"p {label}"].to_pylist()))


def test_pages(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_pages, "PAGE_ROWS", 4)
    last = read_page(result, "all rows", "", "as uploaded", 99)
    assert (last.page, last.pages, last.total, [line.number for line in last.lines]) == (3, 3, 9, [9])
    none = read_page(result, "all rows", "nowhere", "as uploaded", 1)
    assert (none.page, none.pages, none.total, none.lines) == (1, 1, 0, [])

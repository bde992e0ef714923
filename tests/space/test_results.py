from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import results
from results import Result, Run, neutralise, read_page
from tables import Table

from inference.classifier import Classifier

ROWS: list[list[Any]] = [
    ["a", "Profit rose at the mill"],
    ["b", ""],
    ["c", "=cmd|'/C calc'!A0"],
    ["d", None],
    ["e", 7],
    ["f", "x" * 10_001],
    ["g", "Loss widened <b>sharply</b>"],
    ["h", "\ud800 lone"],
    ["-5.5", "-2.1 points lost"],
]
PROBLEMS = {
    1: "empty",
    3: "empty",
    4: "int where text is expected",
    5: "10,001 characters; at most 10,000 are read",
}


@pytest.fixture(scope="module")
def classifier(release: Path) -> Classifier:
    return Classifier(release)


@pytest.fixture
def result(classifier: Classifier, tmp_path: Path) -> Result:
    run = Run(classifier, Table(["id", "text"], ROWS), "text")
    assert list(run.steps())[-1] == run.total == 5
    return run.write(tmp_path / "out", threshold=0.5)


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_the_answers_are_those_of_the_classifier(classifier: Classifier, result: Result) -> None:
    found = pq.read_table(result.parquet).to_pylist()
    assert [row["id"] for row in found] == [row[0] for row in ROWS]
    for number in (0, 2, 6, 8):
        alone = classifier(ROWS[number][1])
        assert found[number]["predicted label"] == alone.label
        assert [found[number][f"p {label}"] for label in classifier.labels] == list(alone.scores.values())
        assert found[number]["unsure"] == (alone.score < 0.5)
        assert found[number]["problem"] is None


def test_bad_rows_are_kept_and_marked(result: Result) -> None:
    found = pq.read_table(result.parquet).to_pylist()
    assert {number: row["problem"] for number, row in enumerate(found) if row["problem"]} == PROBLEMS
    assert all(found[number]["predicted label"] is None for number in PROBLEMS)
    assert (result.rows, result.done, sum(result.counts.values())) == (9, 5, 5)


def test_formulas_are_neutralised_in_csv_alone(result: Result) -> None:
    rows = read_csv(result.csv)
    assert rows[3][1] == "'=cmd|'/C calc'!A0"
    assert rows[9][:2] == ["-5.5", "'-2.1 points lost"]
    assert pq.read_table(result.parquet)["text"][2].as_py() == "=cmd|'/C calc'!A0"
    assert len(rows) == 10


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+1 555", "'+1 555"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("-3.5", "-3.5"),
        ("+2e3", "+2e3"),
        ("profit = loss", "profit = loss"),
        (-3.5, -3.5),
        (None, None),
    ],
)
def test_what_a_spreadsheet_would_run(cell: Any, expected: Any) -> None:
    assert neutralise(cell) == expected


def test_uploaded_columns_keep_their_names(classifier: Classifier, tmp_path: Path) -> None:
    run = Run(classifier, Table(["score", "text"], [["9", "Profit rose"], [8, "Loss"]]), "text")
    list(run.steps())
    written = run.write(tmp_path, threshold=0.0)
    assert written.columns.score == "score 2"
    assert pq.read_table(written.parquet)["score"].to_pylist() == ["9", "8"]


def test_a_run_that_is_stopped_keeps_what_is_done(
    classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Table(["text"], [[f"profit number {number}"] for number in range(100)])
    run = Run(classifier, table, "text")
    next(run.steps())
    written = run.write(tmp_path, threshold=0.5)
    found = pq.read_table(written.parquet).to_pylist()
    assert 0 < written.done == sum(row["predicted label"] is not None for row in found) < 100
    assert {row["problem"] for row in found} == {None, results.NOT_DONE}


def test_a_missing_column_is_a_mistake(classifier: Classifier) -> None:
    with pytest.raises(KeyError, match="headline"):
        Run(classifier, Table(["text"], [["x"]]), "headline")


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
    assert numbers(result, order="least sure first")[:5] == [number + 1 for number in reversed(surest)]
    label = result.labels[0]
    most = numbers(result, order=f"most {label} first")[0] - 1
    assert table[f"p {label}"][most].as_py() == max(filter(None, table[f"p {label}"].to_pylist()))


def test_pages(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "PAGE_ROWS", 4)
    last = read_page(result, "all rows", "", "as uploaded", 99)
    assert (last.page, last.pages, last.total, [line.number for line in last.lines]) == (3, 3, 9, [9])
    none = read_page(result, "all rows", "nowhere", "as uploaded", 1)
    assert (none.page, none.pages, none.total, none.lines) == (1, 1, 0, [])

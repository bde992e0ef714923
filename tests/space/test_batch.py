from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from batch import BatchRun, Result
from table import Table
from words import phrase

from inference.classifier import Classifier
from tests.space.conftest import ROWS

PROBLEMS = {
    1: "empty",
    3: "empty",
    4: "int instead of a text",
    5: "10,001 characters; at most 10,000 are read",
}


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


def test_uploaded_columns_keep_their_names(classifier: Classifier, tmp_path: Path) -> None:
    run = BatchRun(classifier, Table(["score", "text"], [["9", "Profit rose"], [8, "Loss"]]), "text")
    list(run.steps())
    written = run.write(tmp_path, threshold=0.0)
    assert written.columns.score == "score 2"
    assert pq.read_table(written.parquet)["score"].to_pylist() == ["9", "8"]


def test_a_run_that_is_stopped_keeps_what_is_done(
    classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Table(["text"], [[f"profit number {number}"] for number in range(100)])
    run = BatchRun(classifier, table, "text")
    next(run.steps())
    written = run.write(tmp_path, threshold=0.5)
    found = pq.read_table(written.parquet).to_pylist()
    assert 0 < written.done == sum(row["predicted label"] is not None for row in found) < 100
    assert {row["problem"] for row in found} == {None, phrase("not_done")}


def test_a_missing_column_is_a_mistake(classifier: Classifier) -> None:
    with pytest.raises(KeyError, match="headline"):
        BatchRun(classifier, Table(["text"], [["x"]]), "headline")

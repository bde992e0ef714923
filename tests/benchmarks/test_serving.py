"""The clients and the tables of benchmarks/serving.py and bulk.py, on a small release and made-up figures."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from pathlib import Path

import psutil
import pyarrow.parquet as parquet
import pytest

from benchmarks.bulk import BARE_CODE, Run, printed_rate, run, run_bulk, tell_plan, tell_ways, write_rows
from benchmarks.load import Load, ask, put_load, request
from benchmarks.serving import BATCH, BUSY, DEMO, OURS, PLAIN, Cell, Server, tell_aims, tell_half
from benchmarks.texts import headlines
from serving.model import ServedModel, load_model
from tests.serving.servers import serving


@pytest.fixture(scope="module")
def model(tiny_release: Path) -> ServedModel:
    return load_model(str(tiny_release), name="tiny")


def _server(name: str, port: int, texts: list[str]) -> Server:
    one = [request("/predict", {"inputs": text}) for text in texts]
    return Server(name, port, psutil.Process(os.getpid()), ask, one)


def test_clients_count_answers_and_refusals(model: ServedModel) -> None:
    good, bad = request("/predict", {"inputs": "profit rose"}), request("/predict", {"inputs": []})
    with serving(model) as address:
        port = int(address.rpartition(":")[2])
        load = put_load(port, [good, bad], clients=4, seconds=0.3)
        paced = put_load(port, [good], clients=2, seconds=0.5, rate=20)
        half = tell_half(_server(OURS, port, ["profit"]), 40.0, 0.3)
    assert set(load.statuses) == {200, 422} and load.statuses.total() == len(load.times) >= 8
    assert abs(load.statuses[200] - load.statuses[422]) <= 1 and load.seconds >= 0.3
    assert 2 <= len(paced.times) <= 12
    assert re.fullmatch(r"- At half load \(20 requests/s\): p50 [\d.]+ ms, .* times as much\.", half)


def _cell(name: str, texts: int, clients: int, answered: int) -> Cell:
    load = Load([0.01] * answered, Counter({200: answered, 429: 1}), seconds=2.0)
    return Cell(_server(name, 1, ["a"]), texts, clients, load, memory=100.0)


def test_the_table_of_a_server_and_what_it_is_held_against() -> None:
    cells = [
        _cell(OURS, 1, BUSY, 400), _cell(OURS, BATCH, BUSY, 50), _cell(PLAIN, 1, BUSY, 40),
        _cell(PLAIN, BATCH, BUSY, 2), _cell(DEMO, 1, BUSY, 20),
    ]  # fmt: skip
    assert cells[1].line() == f"| {OURS} | 32 texts | 8 | 25 | 800 | 10.0 | 10.0 | 100 | 1 |"
    first, second = tell_aims(cells, bare=1000.0)
    assert "1,000 texts/s; through HTTP 80% of it" in first
    assert "10.0 times FastAPI" in second and "20 times the demo" in second


def test_bulk_is_run_and_its_rate_is_read(tiny_release: Path, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.parquet", 300)
    texts = parquet.read_table(rows)["text"].to_pylist()
    assert len(set(texts)) == 300 and texts[1].startswith(headlines()[1])
    python = Path(sys.executable)
    local = run_bulk(python, tiny_release, rows, 1, "local")
    bare = run([str(python), "-c", BARE_CODE, str(tiny_release), str(rows), "1"], 1, printed_rate)
    for one in (local, bare):
        assert one.rate > 0 and one.seconds > 0
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]  # the answers are gone
    with pytest.raises(RuntimeError, match="failed"):
        run_bulk(python, tmp_path, rows, 1, "local")


def test_the_tables_of_bulk() -> None:
    found = {
        ("bare classifier", 1): Run(1000, 10, 100), ("`local`", 1): Run(960, 11, 200),
        ("`ray`", 1): Run(900, 20, 900), ("bare classifier", 2): Run(2000, 5, 100),
        ("`local`", 2): Run(1900, 6, 200), ("`ray`", 2): Run(1620, 15, 950),
    }  # fmt: skip
    lines = tell_ways(Path("runs/tiny/release"), 10_000, found)
    assert "| `local` | 1 | 960 | 96% | 11.0 | 200 |" in lines
    assert "Two actors of `ray` do 1.80 times what one does." in lines
    assert "| tiny | 278 | 4.3 | 11 |" in tell_plan({"tiny": 1000.0}, price=0.04)

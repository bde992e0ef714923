"""The clients and the tables of benchmarks/serving.py and bulk.py, on a small release and made-up figures."""

from __future__ import annotations

import os
import re
from collections import Counter
from contextlib import closing
from pathlib import Path

import psutil
import pyarrow.parquet as parquet
import pytest

from benchmarks.bulk import BARE, LOCAL, RAY, join_runs, tell_growth, tell_plan, tell_ways
from benchmarks.bulk_runs import (
    BARE_CODE,
    STEP,
    Run,
    choose_rows,
    code_command,
    printed_rate,
    run,
    run_local,
    steady_rate,
    write_rows,
)
from benchmarks.load import Load, ask, put_load, request
from benchmarks.servers import BATCH, DEMO, OURS, PLAIN, Bare, Server
from benchmarks.serving import BUSY, Cell, compare, measure_half, measure_soak
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
        what, aim, half = measure_half(_server(OURS, port, ["profit"]), 40.0, 0.3)
        *_, soak = measure_soak(_server(OURS, port, ["profit"]), 0.3)
    assert set(load.statuses) == {200, 422} and load.statuses.total() == len(load.times) >= 8
    assert abs(load.statuses[200] - load.statuses[422]) <= 1 and load.seconds >= 0.3
    assert 2 <= len(paced.times) <= 12
    assert (what, aim) == ("half load, 20 requests/s", "p99 at most 5 times p50")
    assert re.fullmatch(r"p50 [\d.]+ ms, p99 [\d.]+ ms, [\d.]+ times as much", half)
    assert re.fullmatch(r"[\d,]+ x 200; memory [+-]\d+ MB", soak)


def test_the_bare_classifier_waits_for_its_turn(tiny_release: Path) -> None:
    with closing(Bare(tiny_release, headlines()[: 2 * BATCH], processes=1)) as bare:
        assert min(bare.rate(0.1), bare.rate(0.1)) > 0


def _cell(name: str, texts: int, clients: int, answered: int) -> Cell:
    load = Load([0.01] * answered, Counter({200: answered, 429: 1}), seconds=2.0)
    return Cell(_server(name, 1, ["a"]), texts, clients, load, memory=100.0)


def test_the_table_of_a_server_and_what_it_is_held_against() -> None:
    cells = [
        _cell(OURS, 1, BUSY, 400), _cell(OURS, BATCH, BUSY, 50), _cell(PLAIN, 1, BUSY, 40),
        _cell(PLAIN, BATCH, BUSY, 2), _cell(DEMO, 1, BUSY, 20),
    ]  # fmt: skip
    assert cells[1].line() == f"| {OURS} | 32 texts | 8 | 25 | 800 | 10.0 | 10.0 | 100 | 1 |"
    assert [measured for _, _, measured in compare(cells, bare=1000.0)] == [
        "80%: 800 of 1,000 texts/s", "10.0 times", "20 times"
    ]  # fmt: skip


def test_bulk_is_run_and_its_rate_is_read(tiny_release: Path, tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.parquet", 300)
    texts = parquet.read_table(rows)["text"].to_pylist()
    assert len(set(texts)) == 300 and texts[1].startswith(headlines()[1])
    local = run_local(tiny_release, rows, 1)
    bare = run(code_command(BARE_CODE, tiny_release, rows, 1), 1, printed_rate)
    for one in (local, bare):
        assert one.rate > 0 and one.seconds > 0
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]  # the answers are gone
    with pytest.raises(RuntimeError, match="failed"):
        run_local(tmp_path, rows, 1)
    assert choose_rows(tiny_release, tmp_path, seconds=0) == 2 * STEP


def test_the_rate_of_actors_leaves_out_how_they_start() -> None:
    assert steady_rate([9.0, 0.0, 1.0, 10.0, 10.5, 11.0, 11.5, 12.0], part_rows=100) == 200


def test_of_turns_the_medians_count_and_the_most_memory() -> None:
    runs = [Run(100, 9, 50), Run(300, 8, 70), Run(120, 2, 60)]
    assert join_runs(runs) == Run(120, 8, 70)


def test_the_tables_of_bulk(tiny_release: Path, tmp_path: Path) -> None:
    found = {
        (BARE, 1): Run(1000, 10, 100), (LOCAL, 1): Run(960, 11, 200), (RAY, 1): Run(900, 20, 900),
        (BARE, 2): Run(2000, 5, 100), (LOCAL, 2): Run(1900, 6, 200), (RAY, 2): Run(1620, 15, 950),
    }  # fmt: skip
    lines = tell_ways(Path("runs/tiny/release"), 10_000, found)
    assert "| `local` | 1 | 960 | 96% | 11.0 | 200 |" in lines
    assert "| two actors of `ray` beside one | 1.7 times | 1.80 times |" in lines
    assert "| `local` beside the bare classifier, by cores | 95 % of it | 96% on 1, 95% on 2 |" in lines
    grown = tell_growth(tiny_release, tmp_path, [100, 200])
    assert [line.split(" | ")[0] for line in grown if line[:3] in ("| 1", "| 2")] == ["| 100", "| 200"]
    assert "| tiny | 278 | 4.3 | 11 |" in tell_plan({"tiny": 1000.0}, price=0.04)

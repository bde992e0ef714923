from __future__ import annotations

from pathlib import Path

from benchmarks.own_data import make_texts, measure, render, write_rows
from finsent.data.splits import load_splits
from finsent.recipe.file import load_recipe


def test_texts_come_from_the_seed_and_some_are_nearly_the_same(tmp_path: Path) -> None:
    texts = list(make_texts(400, seed=7))
    assert texts == list(make_texts(400, seed=7)) != list(make_texts(400, seed=8))
    assert 120 < sum(map(len, texts)) / len(texts) < 200
    splits = load_splits(load_recipe(write_rows(tmp_path, 400)))
    assert 10 <= splits.report.near_duplicate_groups <= 20


def test_a_stage_is_measured_and_stands_on_the_page(tmp_path: Path) -> None:
    recipe = write_rows(tmp_path, 400)
    read, split = measure(recipe, "read"), measure(recipe, "splits")
    assert read["rows"] == 400 >= split["rows"] > 390
    assert read["seconds"] > 0 and 20 < read["megabytes"] <= split["megabytes"]
    assert "| 400 | 1 MB |\n\n- Measured on 20" in render(["| 400 | 1 MB |"])

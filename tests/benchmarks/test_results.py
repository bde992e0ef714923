from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.counts import Folds, SourceCounts
from benchmarks.results import fill_page, find_stale, render_folds, render_summary, render_table
from finsent.recipe.file import load_recipe
from model_card.measure.metrics_file import read_metrics
from tests import tiny

COUNTS = SourceCounts(
    confusion=[[8, 1, 1], [0, 10, 0], [2, 0, 8]], bin_rows=[30], bin_right=[26], bin_confidence=[25.0]
)


def test_a_release_has_a_row_with_what_its_metrics_say(tiny_release: Path) -> None:
    metrics = read_metrics(tiny_release / "metrics.json")
    one, scores = metrics.variant(metrics.default_variant), metrics.by_source["rows"]
    row = next(line for line in render_table([metrics]).splitlines() if line.startswith("| tiny |"))
    assert f"| {one.bytes / 1e6:.1f} MB | {scores.accuracy:.3f} (" in row
    assert one.drift is not None
    assert f" / {scores.macro_f1:.3f} | {100 * one.drift.flip_share:.1f} % |" in row


def test_the_largest_release_comes_first_and_a_source_that_one_lacks_is_empty(tiny_release: Path) -> None:
    small = read_metrics(tiny_release / "metrics.json")
    grown = [variant.model_copy(update={"bytes": 10**9}) for variant in small.variants]
    large = small.model_copy(
        update={"recipe": "large", "variants": grown, "by_source": {"else": small.by_source["rows"]}}
    )
    rows = [line for line in render_table([small, large]).splitlines() if line.startswith("|")]
    assert [row.split(" |")[0] for row in rows[2:]] == ["| large", "| tiny"]
    assert "| 1000.0 MB |  |" in rows[2]


def test_folds_are_told_with_how_many_were_run() -> None:
    runs = {name: {"fpb": COUNTS} for name in ("0", "2", "3")}  # 0 is what recipes were chosen on
    folds = Folds(recipe="tiny", made_from="", rows="", folds=5, chosen_on="0", runs=runs)
    other = folds.model_copy(update={"recipe": "large"})
    *_, first, row = render_folds([folds, other], {"large": 9, "tiny": 5}).splitlines()
    assert first.startswith("| large |")
    assert row.startswith("| tiny | 2, 3 of 5 | fpb | 60 | 0.867 (")
    assert row.endswith(") | 0.033 |")  # 26 right in each run where 25 were expected, of 30
    assert render_folds([], {}) == "No recipe has been cross-validated in this way since it last changed."


def test_a_recipe_that_changed_after_its_folds_is_named(tiny_base: Path, tmp_path: Path) -> None:
    file = tiny.write_recipe(tmp_path, tiny_base)
    recipe = load_recipe(file)
    folds = Folds(recipe=file.stem, made_from=recipe.making_fingerprint(), rows="", folds=5)
    assert find_stale([folds], tmp_path) == []
    changed = folds.model_copy(update={"made_from": recipe.with_seed(9).making_fingerprint()})
    assert find_stale([folds, changed], tmp_path) == [file.stem]


def test_a_page_is_filled_between_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- folds:begin -->\nbefore\n<!-- folds:end -->\nb", encoding="utf-8")
    assert fill_page(page, {"folds": "after"}) == page.read_text("utf-8").replace("before", "after")
    with pytest.raises(ValueError, match=r"page\.md has no <!-- results:begin -->"):
        fill_page(page, {"results": "new"})


def test_the_summary_has_size_and_accuracy_alone(tiny_release: Path) -> None:
    metrics = read_metrics(tiny_release / "metrics.json")
    size, scores = metrics.variant(metrics.default_variant).bytes, metrics.by_source["rows"]
    row = f"| tiny | {size / 1e6:.1f} MB | {100 * scores.accuracy:.1f} | {metrics.licence} |"
    assert row in render_summary([metrics]).splitlines()

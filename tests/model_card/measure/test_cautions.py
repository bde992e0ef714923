from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from finsent.cautions import ScriptWords
from finsent.data.splits import load_splits
from finsent.recipe.recipe import Recipe
from model_card.card.build import build_card
from model_card.measure.cautions import list_cautions, tell_conditions
from model_card.measure.metrics_file import Metrics, TextResults
from model_card.measure.texts import measure_texts
from tests.finsent.data.test_splits import row
from tests.model_card.samples import make_recipe


def unusual(metrics: Metrics) -> Metrics:
    data = replace(metrics.data, labels=metrics.data.labels | {"test": {"negative": 60, "positive": 30}})
    scripts = {"latin": ScriptWords(900, 0), "devanagari": ScriptWords(100, 80)}
    texts = TextResults(rows=90, cut=9, bound=500, accuracy_cut=0.5, accuracy_whole=0.8, scripts=scripts)
    return metrics.model_copy(update={"data": data, "texts": texts, "peak_memory_bytes": 2_500_000_000})


def test_nothing_unusual_needs_no_word(metrics: Metrics) -> None:
    assert list_cautions(metrics) == []
    assert "Know before you use it" not in build_card_of(metrics)


def build_card_of(metrics: Metrics) -> str:
    return build_card(make_recipe(), metrics)


def test_each_caution_is_told_with_its_figures(metrics: Metrics) -> None:
    assert list_cautions(unusual(metrics)) == [
        "The test split has 90 rows: too few to tell a good release from a mediocre one.",
        "No test row has the label 'neutral': nothing is known about it.",
        "8.0 % of the words are unknown to the tokenizer, so the model cannot tell them apart "
        "(by script: Devanagari 80.0 %).",
        "10.0 % of the test rows (9) are cut after 500 characters: "
        "accuracy 50.0 % on these, 80.0 % on the others.",
    ]


def test_cautions_stand_in_console_and_card(metrics: Metrics) -> None:
    told = unusual(metrics)
    card = build_card_of(told)
    assert tell_conditions(told) == [
        "peak memory 2.5 GB",
        *(f"caution: {one}" for one in list_cautions(told)),
    ]
    assert "## Know before you use it" in card
    assert all(f"- {one.replace('`', '')}" in card for one in list_cautions(told)[2:])


def test_the_texts_of_a_release_are_measured_by_its_own_tokenizer(
    tiny_release: Path, tiny_recipe: Recipe
) -> None:
    rows = [*load_splits(tiny_recipe).test, row("profit " * 40, "positive"), row("loss " * 40, "negative")]
    names = tiny_recipe.labels
    right = np.eye(3)[[names.index(one.label) for one in rows[:-1]] + [2]]
    found = measure_texts(tiny_recipe, tiny_release, rows, right)
    assert (found.rows, found.cut, found.bound) == (20, 2, 116)
    assert (found.accuracy_cut, found.accuracy_whole) == (0.5, 1.0)
    assert found.scripts["latin"].unknown == 0 < found.scripts["latin"].words

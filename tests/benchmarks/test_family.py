from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import family
from benchmarks.baselines import Way, bare, vader, word_counts
from benchmarks.family import Speed, draw, judge, render, time_ways
from finsent.data.splits import load_splits
from finsent.errors import FinsentError
from finsent.onnx_files import FP32
from finsent.recipe.data import TextSource
from finsent.recipe.file import dump_recipe, read_released_recipe
from finsent.recipe.recipe import Recipe
from finsent.release import RECIPE
from inference.classifier import Classifier

TEXTS = ["Profit rose.", "The company cut its outlook after a weak quarter and a loss of orders.", "x"] * 15


def test_the_bare_way_gives_what_the_classifier_gives(tiny_release: Path) -> None:
    expected = Classifier(tiny_release, FP32.path).predict(TEXTS)
    assert bare(tiny_release, 1, FP32.path)(TEXTS) == pytest.approx(expected, abs=1e-6)


def test_words_learn_and_rules_know_the_obvious(tiny_recipe: Recipe) -> None:
    rows = load_splits(tiny_recipe).train
    _, counts = word_counts(rows, tiny_recipe.labels)
    assert judge(counts, rows, tiny_recipe)["all"].accuracy > 0.9
    way, rules = vader(tiny_recipe.labels)
    assert way.bytes > 100_000  # its lexicons were found
    chosen = rules(["a wonderful great success", "a terrible horrible failure", "the table has four legs"])
    assert [tiny_recipe.labels[index] for index in chosen] == ["positive", "negative", "neutral"]


def test_every_text_is_timed_in_each_way() -> None:
    seen: list[list[str]] = []
    way = Way("w", 1, lambda threads: seen.append, "w")
    shape = Way("shape", 1, lambda threads: lambda batch: None)
    found = time_ways([way, shape], 1, TEXTS, singles=20)
    assert set(found) == {"w", "shape"}
    batches = [batch for batch in seen if len(batch) > 1]
    by_length, as_they_come = batches[:2], batches[2:]
    assert [text for batch in by_length for text in batch] == sorted(TEXTS, key=len)
    assert [text for batch in as_they_come for text in batch] == TEXTS
    assert len([batch for batch in seen if len(batch) == 1]) == family.WARM_UP + 20


def test_a_large_file_is_timed_on_every_fiftieth_batch() -> None:
    seen: list[list[str]] = []
    texts = [f"{number:04}" for number in range(60 * family.BATCH)]
    large = Way("large", family.SLOW_BYTES, lambda threads: seen.append, "large")
    time_ways([large], 1, texts, singles=20)
    start = 25 * family.BATCH  # whole batches of like length, from the middle of fifty
    assert seen[-2:] == [texts[start : start + family.BATCH]] * 2
    seen.clear()
    time_ways([large], 1, texts[: 2 * family.BATCH], singles=20)
    assert [len(batch) for batch in seen[-2:]] == [family.BATCH] * 2  # never none


def test_the_page_and_the_figure_show_what_was_measured(tiny_recipe: Recipe) -> None:
    rows = load_splits(tiny_recipe).test
    right = np.eye(3)[[tiny_recipe.labels.index(row.label) for row in rows]]
    answers = iter(right)
    good = judge(lambda texts: [next(answers) for _ in texts], rows, tiny_recipe)
    bad = judge(lambda texts: [0] * len(texts), rows, tiny_recipe)
    ways = [Way("finsent-x, pipeline()", 5_200_000, int, "finsent-x", True), Way("rules", 10, int, "rules")]
    ways.append(Way("BERT-base shape", 10**8, int))
    speeds = {"finsent-x, pipeline()": Speed(0.004, 0.002, 0.003), "rules": Speed(0.001, 0.001, 0.001)}
    speeds["BERT-base shape"] = Speed(0.04, 0.04, 0.04)
    qualities = {"finsent-x": good, "rules": bad}
    page = render(tiny_recipe, ways, qualities, {1: speeds}, 60, 20, ["- on a machine"])
    assert "| finsent-x | 1.000 / 1.000 |" in page
    assert "| rules | 0.0 | 1.00 (4.0) | 1.00 (2.0) | 1.00 (3.0) |" in page
    axes = draw(ways, qualities, speeds).axes
    texts = [text.get_text() for one in axes for text in one.texts]
    assert texts.count("finsent-x") == 2
    assert f"rules {bad['all'].macro_f1:.2f}" in texts  # too low to be drawn in its place
    assert texts.count("BERT-base shape") == 2
    assert page.endswith("- on a machine\n")
    assert f"| finsent-x | {good['all'].ece:.3f} (" in page
    assert "| rules |" not in page.partition("Expected calibration")[2].partition("Milliseconds")[0]
    for words in ("percentage of annotators", "share of the annotators", "These are their figures"):
        assert words not in page  # none of these rows is PhraseBank's


@pytest.mark.parametrize("seed", [1, 2])
def test_releases_of_other_rows_are_refused_and_texts_without_labels_are_no_rows(
    tiny_recipe: Recipe, tmp_path: Path, seed: int
) -> None:
    news = TextSource(name="news", title="News", licence="cc-by-4.0", path=".", files=["news.txt"])
    data = tiny_recipe.data.model_copy(update={"unlabelled": [news]})
    other = tiny_recipe.model_copy(update={"data": data, "seed": seed})
    for name, recipe in {"a": tiny_recipe, "b": other}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / RECIPE).write_text(dump_recipe(recipe), encoding="utf-8")
    releases = [tmp_path / "a", tmp_path / "b"]
    if seed == tiny_recipe.seed:
        assert family.common_recipe(releases) == read_released_recipe(tmp_path / "a" / RECIPE)
    else:
        with pytest.raises(FinsentError, match="has other rows"):
            family.common_recipe(releases)


def test_phrasebank_is_also_judged_by_agreement(tiny_recipe: Recipe) -> None:
    rows = [
        replace(row, source="fpb", slice="agreement_50" if index % 2 else "agreement_all")
        for index, row in enumerate(load_splits(tiny_recipe).test)
    ]
    right = [tiny_recipe.labels.index(row.label) for row in rows]
    answers = iter([label if index % 2 else (label + 1) % 3 for index, label in enumerate(right)])
    found = judge(lambda texts: [next(answers) for _ in texts], rows, tiny_recipe)
    assert found["fpb/agreement_50"].accuracy == 1
    assert found["fpb/agreement_all"].accuracy == 0
    page = render(tiny_recipe, [Way("x", 1, int, "x")], {"x": found}, {}, 1, 1, [])
    assert "| what | 50 to 65 | 100 |" in page
    assert "| x | 1.000 | 0.000 |" in page
    assert "| what | all | fpb | MB |" in page
    assert "Expected calibration" not in page  # it gives classes alone
    assert "These are their figures" in page
    assert "| TinyFinBERT, taught by that one | 14.5 M | 0.833 |" in page

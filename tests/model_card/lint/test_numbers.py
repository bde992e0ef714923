from __future__ import annotations

from dataclasses import replace

import pytest

from finsent.recipe.recipe import Recipe
from model_card.card.build import build_card
from model_card.lint.card import lint_card
from model_card.lint.numbers import known_figures
from model_card.measure.metrics_file import Metrics
from tests.model_card.lint.cards import line_of


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("| Accuracy | 98.8 % on", "| Accuracy | 99.8 % on"),
        ("14,351,187 parameters", "14,500,000 parameters"),
        ("The temperature was 1.2", "The temperature was 1.3"),
        ("| 0.854 |", "| 0.954 |"),
    ],
)
def test_a_changed_figure_in_a_region(
    card: str, metrics: Metrics, recipe: Recipe, old: str, new: str
) -> None:
    assert card.count(old) == 1
    changed = card.replace(old, new)
    problems = lint_card(changed, metrics, None, recipe)
    assert {(problem.line, problem.rule) for problem in problems} == {(line_of(changed, new), "figure")}


@pytest.mark.parametrize(
    ("words", "problems"),
    [
        ("It reaches 91.7 % on news.", 1),
        ("It is 12.7 times faster.", 1),
        ("Trained on 9,999 rows.", 1),
        ("An F1 of 0.9137.", 1),
        ("It has 5.8 MB.", 1),
        ("The quantized file has 14.9 MB.", 0),
        ("The 95 % interval, 14,351,187 parameters, 12 epochs at most.", 0),
        ("Texts after 500 characters, seed 7, 60 W, a learning rate of 6e-05.", 0),
        ("Of 2 or 3 words, since 2019, on 2026-11-20, with v4.57, int8, q8 and transformers 4.57.6.", 0),
        ("As `0.9999` in code, [in 77.7 % of links](https://a.example/8888).", 1),
        ("1. First\n2. Second", 0),
    ],
)
def test_figures_in_prose(card: str, metrics: Metrics, recipe: Recipe, words: str, problems: int) -> None:
    changed = card.replace("## Labels\n", f"## Labels\n\n{words}\n", 1)
    lines = [problem.line for problem in lint_card(changed, metrics, None, recipe)]
    assert lines == [line_of(changed, words)] * problems


def test_numbers_in_why_rows_were_left_out_are_known(metrics: Metrics, recipe: Recipe) -> None:
    left = {"label '1044' is mapped to null": 12, "not among the 7,351 that are taken": 9}
    changed = metrics.model_copy(update={"data": replace(metrics.data, left_out=left)})
    assert lint_card(build_card(recipe, changed), changed, None, recipe) == []


def test_a_figure_of_no_measurement_in_model_index(card: str, metrics: Metrics, recipe: Recipe) -> None:
    value = round(metrics.by_source["posts"].accuracy, 4)
    changed = card.replace(f"value: {value}", "value: 0.9999")
    (problem,) = lint_card(changed, metrics, None, recipe)
    assert (problem.line, problem.rule) == (line_of(changed, "value: 0.9999"), "figure")


def test_known_percentages_are_few(metrics: Metrics, recipe: Recipe) -> None:
    known = known_figures(metrics, recipe)["%"]
    measured = metrics.variant("quantized").scores
    assert f"{100 * measured.accuracy:.1f}" in known
    assert f"{100 * measured.per_class['neutral'].recall:.1f}" in known
    assert len([figure for figure in known if figure.count(".") == 1]) < 150  # of 1001 that can be written

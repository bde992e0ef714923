from __future__ import annotations

from pathlib import Path

from finsent.recipe.recipe import Recipe
from model_card.lint.card import lint_card
from model_card.lint.problem import Problem
from model_card.measure.metrics_file import Metrics
from tests.model_card.lint.cards import card_with
from tests.model_card.samples import make_metrics


def test_generated_card_is_clean(card: str, metrics: Metrics, recipe: Recipe, run: Path) -> None:
    assert lint_card(card, metrics, None, recipe) == []
    assert lint_card(card, metrics, run / "release") == []
    assert lint_card(card_with(), None, None) == []


def test_a_problem_prints_its_line() -> None:
    assert str(Problem(12, "dollar", "why")) == "README.md:12: dollar: why"


def test_broken_recipe_is_a_problem(card: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("name: 5\n", encoding="utf-8")
    rules = [p for p in lint_card(card, make_metrics(), tmp_path) if p.rule == "figure"]
    assert [problem.line for problem in rules] == [1]
    assert "recipe.yaml" in rules[0].message

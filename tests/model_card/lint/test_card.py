from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from finsent.recipe.recipe import Recipe
from model_card.card.document import markdown_blocks
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


def test_a_card_and_the_one_built_to_compare_are_parsed_once_each(
    card: str, run: Path, recipe: Recipe, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed, parse = Counter[str](), MarkdownIt.parse

    def counting(self: MarkdownIt, text: str, *rest: Any) -> Any:
        parsed[text] += 1
        return parse(self, text, *rest)

    monkeypatch.setattr(MarkdownIt, "parse", counting)
    markdown_blocks.cache_clear()
    assert lint_card(card, metrics, run / "release", recipe) == []
    assert set(parsed.values()) == {1}

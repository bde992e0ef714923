from __future__ import annotations

import pytest

from finsent.recipe.recipe import Recipe
from model_card.card.build import build_card
from model_card.lint.card import lint_card
from model_card.measure.metrics_file import Metrics


@pytest.fixture
def t5(metrics: Metrics) -> Metrics:
    """The figures of a release that no browser loads."""
    return metrics.model_copy(update={"not_loaded_by": ["transformers.js"]})


def test_a_card_for_browsers_is_wrong_where_no_browser_loads_the_release(
    card: str, metrics: Metrics, t5: Metrics, recipe: Recipe
) -> None:
    wrong = [one for one in lint_card(card, t5, None, recipe) if one.rule == "runtime"]
    assert [one.message.partition(";")[2] for one in wrong] == [" take the tag out", " take the code out"]
    assert lint_card(card, metrics, None, recipe) == []


def test_the_card_of_such_a_release_has_no_tag_no_code_and_no_dtype(t5: Metrics, recipe: Recipe) -> None:
    card = build_card(recipe, t5)
    assert lint_card(card, t5, None, recipe) == []
    assert "- transformers.js" not in card and "```javascript" not in card and "`dtype:" not in card
    assert "has no classifier for this architecture" in card
    assert "browser |" not in card and "| CPU" in card

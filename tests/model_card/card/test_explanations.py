from __future__ import annotations

from pathlib import Path

import pytest

from finsent.recipe.recipe import Recipe
from finsent.release import ATTENTION_FIGURE, EXAMPLES_FIGURE, LEARNING_FIGURE, MISTAKES_FIGURE
from model_card.card.build import build_card
from model_card.card.explanation_figures import (
    MOST_PIECES,
    MOST_WORDS,
    draw_attention,
    draw_explanations,
    draw_texts,
)
from model_card.card.figures import draw_curve, draw_figures
from model_card.explanations.figures import AttentionView, WordEffects
from model_card.lint.card import lint_card
from model_card.measure.metrics_file import Metrics
from tests.model_card.samples import make_explanations, make_metrics, make_training

FIGURES = (LEARNING_FIGURE, EXAMPLES_FIGURE, MISTAKES_FIGURE, ATTENTION_FIGURE)


def without_explanations(**changes: object) -> Metrics:
    full = make_metrics()
    plain = {
        name: [one.model_copy(update={"explanation": None}) for one in getattr(full, name)]
        for name in ("examples", "mistakes")
    }
    return make_metrics(**{**plain, **changes})


def test_a_card_shows_what_it_explains(recipe: Recipe, metrics: Metrics, card: str, tmp_path: Path) -> None:
    draw_figures(metrics, tmp_path)
    for name in FIGURES:
        assert f"]({name})" in card and f"| `{name}` | the " in card
        assert (tmp_path / name).is_file()
    assert "| integrated gradients | 40 | 31.9 (25.9 to 37.9) | 14.2 (9.2 to 19.2) | in both, beyond" in card
    assert (
        "| gradient × input | 40 | 17.1 (11.1 to 23.1) | 26.3 (21.3 to 31.3) | **not shown to be** |" in card
    )
    assert "| random order | 40 | 15.0 (12.0 to 18.1) | 27.1 (23.0 to 31.2) | - |" in card
    assert "| 160 | 0.421 | 0.443 | 87.1 % |" in card


def test_a_method_no_better_than_chance_is_not_shown(recipe: Recipe, tmp_path: Path) -> None:
    metrics = without_explanations(explanations=make_explanations(ahead=-0.01))
    card = build_card(recipe, metrics)
    assert "No text is coloured here, because integrated gradients were not shown to be better" in card
    assert EXAMPLES_FIGURE not in card and MISTAKES_FIGURE not in card
    assert set(draw_explanations(metrics)) == {ATTENTION_FIGURE}
    assert lint_card(card, metrics, None, recipe) == []


def test_an_older_release_has_no_section_on_what_it_did_not_measure(recipe: Recipe, tmp_path: Path) -> None:
    training = make_training()
    before = {**vars(training), "curve": ()}
    metrics = without_explanations(explanations=None, seen_rows=None, training=type(training)(**before))
    card = build_card(recipe, metrics)
    draw_figures(metrics, tmp_path)
    for name in FIGURES:
        assert name not in card and not (tmp_path / name).exists()
    for title in (
        "## Explanations",
        "### Learning curve",
        "### Rows that it was trained on",
        "### Where attention",
    ):
        assert title not in card
    assert lint_card(card, metrics, None, recipe) == []


def test_without_mistakes_no_picture_of_them_is_named(recipe: Recipe) -> None:
    metrics = make_metrics(mistakes=[])
    card = build_card(recipe, metrics)
    assert EXAMPLES_FIGURE in card and MISTAKES_FIGURE not in card
    assert MISTAKES_FIGURE not in draw_explanations(metrics)
    assert lint_card(card, metrics, None, recipe) == []


@pytest.mark.parametrize("number", ["0.6173", "-0.1347", "0.6421"])
def test_the_numbers_of_a_picture_allow_no_sentence(recipe: Recipe, metrics: Metrics, number: str) -> None:
    card = build_card(recipe, metrics)
    forged = card.replace("## Intended use\n", f"## Intended use\n\nIt reaches {number} somewhere.\n")
    assert [problem.rule for problem in lint_card(forged, metrics, None, recipe)] == ["figure"]


def test_every_word_is_drawn_with_its_effect(metrics: Metrics) -> None:
    effects = [0.6, -0.2, 0.004, 0.05]
    figure = draw_texts([("Profit $rose 12% 한국", WordEffects("up", effects, 0.9, 0.4, 0.01))])
    said = [text.get_text() for text in figure.texts]
    assert said[0] == "up 0.900, without any word 0.400, error 0.0100"
    assert [one for one in said[1:] if one[0] not in "+−"][:3] == ["Profit", "$rose", "12%"]
    assert [one for one in said if one[0] in "+−"] == ["+60", "−20", "+5"]
    strengths = [text.get_bbox_patch().get_alpha() for text in figure.texts if text.get_bbox_patch()]
    assert strengths == sorted(strengths, reverse=True)[:1] + strengths[1:] and max(strengths) == 0.7


def test_long_texts_are_broken_into_lines_and_end_somewhere() -> None:
    text = " ".join(f"word{number}" for number in range(200))
    figure = draw_texts([(text, WordEffects("up", [0.0] * 200, 0.9, 0.9, 0.0))] * 2)
    words = [one for one in figure.texts if one.get_text().startswith("word")]
    assert len(words) == 2 * MOST_WORDS
    assert len({one.get_position()[1] for one in words}) > 6
    assert all(0 < x < 1 and 0 < y < 1 for x, y in (one.get_position() for one in words))
    assert [one.get_text() for one in figure.texts].count("…") == 2


def test_attention_has_a_row_a_layer() -> None:
    view = AttentionView("x", [f"t{number}" for number in range(100)], [[0.01] * 100] * 3)
    axes = draw_attention(view).axes[0]
    assert axes.images[0].get_array().shape == (3, MOST_PIECES)  # type: ignore[union-attr]


def test_the_evaluation_that_was_kept_is_marked() -> None:
    upper, lower = draw_curve(make_training().curve).axes
    assert [list(line.get_ydata()) for line in upper.lines] == [
        [0.8123, 0.4211, 0.2544],
        [0.5712, 0.4433, 0.4621],
    ]
    assert (lower.lines[1].get_xdata()[0], lower.lines[1].get_ydata()[0]) == (160, 0.8712)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from finsent.data.splits import load_splits
from finsent.recipe.recipe import Recipe
from inference.classifier import Classifier
from inference.explain import explain
from model_card.explanations import measure
from model_card.explanations.figures import GRADIENT, INTEGRATED, LEAVE_ONE_OUT, RANDOM, SHAPLEY, Explanations
from model_card.explanations.gradients import Gradients
from model_card.explanations.measure import choose_texts, explain_release, make_methods
from model_card.measure.metrics_file import ExampleResult, Metrics, Mistake, read_metrics

FILE = "onnx/model_quantized.onnx"


@pytest.fixture
def metrics(tiny_release: Path) -> Metrics:
    return read_metrics(tiny_release / "metrics.json")


def test_a_release_has_every_method_measured(metrics: Metrics) -> None:
    found = metrics.explanations
    assert found is not None
    methods = {one.method for one in found.methods}
    assert methods == {LEAVE_ONE_OUT, SHAPLEY, GRADIENT, INTEGRATED, RANDOM}
    assert found.methods[-1].method == RANDOM
    assert found.attention is not None and found.attention.text == metrics.examples[0].text
    assert all(one.texts >= measure.LEAST_TEXTS for one in found.methods)


def test_the_texts_of_the_card_are_explained_where_that_is_better_than_chance(metrics: Metrics) -> None:
    shown = [*metrics.examples, *metrics.mistakes]
    wanted = bool(metrics.explanations and metrics.explanations.shows(INTEGRATED))
    assert [one.explanation is not None for one in shown] == [wanted] * len(shown)
    for one in metrics.examples if wanted else ():
        assert one.explanation and one.explanation.label == max(one.scores, key=one.scores.__getitem__)
        assert len(one.explanation.effects) == len(one.text.split())


def run(recipe: Recipe, release: Path, texts: list[str]) -> measure.Explained:
    example = ExampleResult(title="a", text="profit rose", expected="positive", scores={"positive": 1.0})
    mistake = Mistake(text="profit fell hard", expected="negative", predicted="positive", score=0.5)
    return explain_release(recipe, texts, release, FILE, [example], [mistake])


@pytest.mark.parametrize("ahead", [True, False])
def test_nothing_is_explained_by_a_method_no_better_than_chance(
    tiny_recipe: Recipe, tiny_release: Path, monkeypatch: pytest.MonkeyPatch, ahead: bool
) -> None:
    monkeypatch.setattr(Explanations, "shows", lambda self, method: ahead and method == INTEGRATED)
    found = run(tiny_recipe, tiny_release, [row.text for row in load_splits(tiny_recipe).test])
    explained = [one.explanation is not None for one in (*found.examples, *found.mistakes)]
    assert found.figures is not None and found.figures.seconds > 0
    assert explained == [ahead, ahead]
    if ahead:
        assert found.mistakes[0].explanation and found.mistakes[0].explanation.label == "positive"


def test_too_few_texts_are_told_and_not_measured(
    tiny_recipe: Recipe, tiny_release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(tiny_recipe, tiny_release, ["profit rose again", "two words"] * 5)
    assert found.figures is None and found.examples[0].explanation is None
    assert "explanations: not measured, only 5 test rows" in capsys.readouterr().err


def test_the_sample_is_bounded_by_work_and_the_same_every_time(tiny_release: Path) -> None:
    classifier = Classifier(tiny_release)
    texts = [f"profit rose by {row} million" for row in range(300)]
    one, two = (choose_texts(classifier, texts, 1000, seed=4) for _ in range(2))
    assert one == two and len(one) == measure.MOST_TEXTS and one != texts[: len(one)]
    tokens = len(classifier.tokenize(texts[:1])[0].ids)
    few = choose_texts(classifier, texts, int(measure.MOST_WORK / (5.5 * (tokens + 2))), seed=4)
    assert 5 <= len(few) <= 6 and few == one[: len(few)]


def test_the_methods_are_those_of_the_demo(tiny_release: Path) -> None:
    classifier = Classifier(tiny_release)
    methods = make_methods(classifier, Gradients(tiny_release))
    text = "profit rose sharply on monday"
    names: list[tuple[str, Any]] = [(LEAVE_ONE_OUT, "leave-one-out"), (SHAPLEY, "shapley")]
    for name, method in names:
        assert methods[name](text, 0) == [word.effect for word in explain(classifier, text, method).words]

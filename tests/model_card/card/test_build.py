from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from jinja2 import UndefinedError

from finsent.errors import ReleaseError
from finsent.recipe.recipe import Recipe
from model_card.card import build
from model_card.card.build import build_card
from model_card.lint.card import lint_card
from model_card.measure.metrics_file import Dropped, ExampleResult, Metrics
from tests.model_card.golden import GOLDEN, render_golden
from tests.model_card.samples import LABELS, make_metrics, make_recipe, make_scores, make_training


def changed_card(**changes: Any) -> dict[str, Any]:
    return {"card": make_recipe().card.model_dump() | changes}


def test_golden_card_is_what_is_built() -> None:
    assert GOLDEN.read_text(encoding="utf-8") == render_golden(), (
        "python -m tests.model_card.golden renews it"
    )


def test_building_twice_gives_the_same_text(recipe: Recipe, metrics: Metrics, card: str) -> None:
    assert build_card(recipe, Metrics.model_validate_json(metrics.model_dump_json())) == card


def test_every_figure_of_a_variant_is_printed(card: str, metrics: Metrics) -> None:
    for variant in metrics.variants:
        row = next(line for line in card.splitlines() if line.startswith(f"| `{variant.file}` | `"))
        assert f"{variant.bytes / 1e6:.1f} MB" in row
        assert f"{100 * variant.scores.accuracy:.1f} %" in row
        assert f"{variant.sha256}  {variant.file}" in card


def test_a_missing_value_is_an_error_and_not_a_blank(
    recipe: Recipe, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = build._view
    monkeypatch.setattr(
        build, "_view", lambda *given: {k: v for k, v in view(*given).items() if k != "calibration_bins"}
    )
    with pytest.raises(UndefinedError, match="calibration_bins"):
        build_card(recipe, metrics)


def test_figures_of_other_labels_are_refused(metrics: Metrics) -> None:
    card = make_recipe().card.model_dump() | {"label_meanings": {}, "examples": []}
    other = make_recipe().model_copy(update={"labels": ["bearish", "neutral", "bullish"], "card": card})
    with pytest.raises(ReleaseError, match="bearish"):
        build_card(other, metrics)


def test_without_quantized_file_no_text_names_one(recipe: Recipe) -> None:
    full = make_metrics()
    metrics = make_metrics(
        variants=full.variants[:2],
        default_variant="fp32",
        dropped=[Dropped(name="quantized", reasons=["share of labels that flip 0.0812, allowed 0.06"])],
    )
    card = build_card(recipe, metrics)
    assert "model_quantized.onnx" not in card
    assert 'dtype: "fp32"' in card
    assert "- `quantized`: share of labels that flip 0.0812, allowed 0.06" in card
    assert lint_card(card, metrics, None, recipe) == []


def test_calibration_is_told_by_source(card: str, metrics: Metrics) -> None:
    scores = metrics.by_source["headlines"]
    gap = scores.mean_score - scores.accuracy
    assert 0.05 < scores.mean_score < 1 and "annotators" not in card
    figures = [f"{100 * scores.mean_score:.1f} %", f"{100 * scores.accuracy:.1f} %", f"{100 * gap:.1f}"]
    row = " | ".join(["| Sample headlines", "150", *figures, f"{scores.ece:.3f} |"])
    assert row in card.splitlines()


def test_the_card_says_where_scores_are_shares_of_annotators(metrics: Metrics) -> None:
    phrases = {
        "kind": "phrasebank",
        "name": "posts",
        "title": "Phrases",
        "licence": "mit",
        "path": "phrases",
        "files": {"train": ["phrases.zip"]},
        "label_probabilities": {"50": 0.6},
        "labels": {label: label for label in LABELS},
    }
    recipe = make_recipe()
    sources = [recipe.data.sources[0].model_dump(), phrases]
    taught = make_recipe(data={"sources": sources})
    card = build_card(taught, metrics)
    assert "The annotators of Phrases did not always agree, and this model has learnt how many" in card
    assert lint_card(card, metrics, None, taught) == []


def test_a_prediction_that_differs_is_said(card: str) -> None:
    row = next(
        line for line in card.splitlines() if line.startswith("| `Report on 14 August` | `neutral` | `")
    )
    assert row.split(" | ")[2:4] == ["`positive`", "0.488"]
    assert "not as expected" in row
    assert "Not as expected: 1 of 3" in card


def test_a_resumed_training_says_what_its_time_is_of(recipe: Recipe) -> None:
    metrics = make_metrics(training=make_training(resumed_at=120))
    card = build_card(recipe, metrics)
    assert "| Time | 91 s since step 120, where it was resumed |" in card
    assert "nor is the training before step 120." in card
    assert "91 s measured since step 120" in card
    assert lint_card(card, metrics, None, recipe) == []


@pytest.mark.parametrize(
    ("adapter", "told"),
    [
        (
            {"kind": "lora", "rank": 4},
            "LoRA of rank 4, alpha 8, on all linear layers of the encoder; merged into the weights |",
        ),
        (
            {"kind": "qlora", "alpha": 1.5, "targets": ["query", "value"]},
            "QLoRA of rank 8, alpha 1.5, on the layers `query, value`; merged into the dequantized 4-bit",
        ),
        ({"kind": "ia3"}, "IA3, on all linear layers of the encoder; merged into the weights |"),
    ],
)
def test_an_adapter_and_what_it_took_are_printed(adapter: dict[str, Any], told: str) -> None:
    training = replace(make_training(), trained_share=0.0312, peak_memory_bytes=1_230_000_000)
    recipe, metrics = make_recipe(adapter=adapter), make_metrics(training=training)
    card = build_card(recipe, metrics)
    assert f"| Adapter | {told}" in card
    assert "| Trained | 3.1 % as many weights as the release has, including the head |" in card
    assert "| Memory in training | at most 1.2 GB |" in card
    assert lint_card(card, metrics, None, recipe) == []


def test_macro_f1_is_left_out_where_a_label_has_no_row(recipe: Recipe) -> None:
    scores = make_scores(9, 90, 3.0)
    classes = dict(scores.per_class) | {"neutral": type(scores.per_class["neutral"])(0.0, 0.0, 0.0, 0)}
    partial = type(scores)(**{**vars(scores), "per_class": classes})
    card = build_card(recipe, make_metrics(by_slice={"headlines/only": partial}))
    row = next(line for line in card.splitlines() if line.startswith("| `headlines/only`"))
    assert row.split(" | ")[3] == "-"


def test_confusion_and_behaviour_are_printed(card: str, metrics: Metrics) -> None:
    for name, scores in metrics.by_slice.items():
        row = next(line for line in card.splitlines() if line.startswith(f"| `{name}` | {scores.n} |"))
        cells = [" / ".join(map(str, given)) for given in scores.confusion]
        assert row.endswith(f"| {' | '.join(cells)} |")
    rate = metrics.behaviour[0]
    assert f"| `{rate.name}` | {100 * rate.rate:.1f} % (" in card


def test_without_suites_there_is_no_section_on_behaviour(recipe: Recipe) -> None:
    metrics = make_metrics(behaviour=[])
    card = build_card(recipe, metrics)
    assert "### Behaviour" not in card
    assert lint_card(card, metrics, None, recipe) == []


def test_many_slices_are_folded(recipe: Recipe) -> None:
    slices = {f"headlines/s{index}": make_scores(index, 40, 3.0) for index in range(13)}
    metrics = make_metrics(by_slice=slices)
    card = build_card(recipe, metrics)
    assert "<summary>13 slices</summary>" in card
    assert all(f"| `{name}` | 40 |" in card for name in slices)
    assert lint_card(card, metrics, None, recipe) == []


HARD_TEXTS = [
    "a `tick`, a | bar and <b>tags</b>",
    "```\nfence\n```",
    "$$x$$ and $AAPL",
    "'single' \"double\" \\ back\\slash",
    "line\nbreak\ttab \u2028 separator \x07 bell",
    "今日 📈 naïve",
    "{{ recipe }} {% raw %}",
    "",
]


@pytest.mark.parametrize("text", HARD_TEXTS)
def test_any_example_gives_a_clean_card(text: str) -> None:
    example = {"title": "hard: # 'no'", "text": text, "expected": "neutral"}
    recipe = make_recipe(**changed_card(examples=[example]))
    metrics = make_metrics(
        examples=[ExampleResult(**example, scores=dict(zip(LABELS, (0.1, 0.7, 0.2), strict=True)))]
    )
    problems = lint_card(build_card(recipe, metrics), metrics, None, recipe)
    assert [problem for problem in problems if problem.rule != "placeholder"] == []


@pytest.mark.parametrize("labels", [["bearish", "bullish"], ["a", "b", "c", "d"]])
def test_other_label_sets(labels: list[str]) -> None:
    def scores() -> Any:
        old = make_scores(3, 60, 2.0)
        parts = dict(zip(labels, [*old.per_class.values(), old.per_class["neutral"]], strict=False))
        return type(old)(**{**vars(old), "per_class": parts})

    example = {"title": "t", "text": "Shares fall", "expected": labels[0]}
    sources = make_recipe().model_dump()["data"]["sources"]
    for source in sources:
        source["labels"] = {label: label for label in labels}
    recipe = make_recipe(
        labels=labels,
        data={"sources": sources},
        **changed_card(examples=[example], label_meanings={label: "m" for label in labels}, tones={}),
    )
    metrics = make_metrics(
        variants=[one.model_copy(update={"scores": scores()}) for one in make_metrics().variants],
        examples=[ExampleResult(**example, scores={label: 1 / len(labels) for label in labels})],
        by_slice={},  # the sample's have three labels
    )
    card = build_card(recipe, metrics)
    assert all(f"| `{index}` | `{label}` |" in card for index, label in enumerate(labels))
    assert lint_card(card, metrics, None, recipe) == []

"""The metadata of a card, from a recipe and its figures: one YAML block at byte 0.

Keys: https://huggingface.co/docs/hub/model-cards, https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

from __future__ import annotations

from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from finsent import release
from finsent.onnx_files import TRANSFORMERS_JS
from finsent.recipe.recipe import Recipe
from finsent.scoring import Scores
from finsent.yaml_dialects import dump_yaml
from model_card.measure.metrics_file import ExampleResult, Metrics

TASK = "text-classification"
HUB = "https://huggingface.co"
PLACES = 4  # decimals of shares in the metadata


def card_metadata(recipe: Recipe, metrics: Metrics) -> str:
    """Return the block with its two `---` lines."""
    return f"---\n{dump_yaml(metadata_tree(recipe, metrics))}---\n"


def metadata_tree(recipe: Recipe, metrics: Metrics) -> dict[str, Any]:
    """Return the metadata as plain values, in the order in which they are written."""
    in_browser = metrics.is_loaded_by(TRANSFORMERS_JS)
    data = ModelCardData(
        language=recipe.card.languages,
        license=metrics.licence,
        license_name=recipe.card.licence_name,
        license_link=recipe.card.licence_link,
        library_name="transformers",
        pipeline_tag=TASK,
        base_model=recipe.base.hub,
        datasets=hub_datasets(recipe) or None,
        metrics=["accuracy", "f1"],
        tags=list(dict.fromkeys([*recipe.card.tags, *([TRANSFORMERS_JS] if in_browser else [])])),
        model_name=recipe.hub.model.split("/")[1],
        eval_results=_eval_results(recipe, metrics),
        base_model_relation="finetune",
        widget=[_widget_example(example) for example in metrics.examples],
        co2_eq_emissions=_emissions(recipe, metrics),
    )
    tree: dict[str, Any] = data.to_dict()  # type: ignore[no-untyped-call]  # untyped in huggingface_hub
    return tree


def hub_datasets(recipe: Recipe) -> list[str]:
    """Return the ids of sources that are data sets of the Hub; one with `url` only borrows the form."""
    return [source.hub for source in recipe.data.sources if source.hub and source.url is None]


def _widget_example(example: ExampleResult) -> dict[str, Any]:
    ranked = sorted(example.scores.items(), key=lambda item: -item[1])
    output = [{"label": label, "score": round(float(value), PLACES)} for label, value in ranked]
    return {"text": example.text, "example_title": example.title, "output": output}


def _eval_results(recipe: Recipe, metrics: Metrics) -> list[EvalResult]:
    """Return accuracy and macro F1 a source and, where there are several, over all of them."""
    results = []
    for source in recipe.data.sources:
        if source.name in metrics.by_source:
            on_hub = source.hub if source.url is None else None
            where = {"dataset_revision": source.revision if on_hub else None}
            results += _results(recipe, metrics, source.title, on_hub or source.name, source.name, **where)
    if len(recipe.data.sources) > 1:
        results += _results(recipe, metrics, "All sources together", f"{recipe.name}-test", None)
    return results


def _results(
    recipe: Recipe, metrics: Metrics, name: str, dataset: str, source: str | None, **more: str | None
) -> list[EvalResult]:
    default = metrics.variant(metrics.default_variant)
    scores: Scores = default.scores if source is None else metrics.by_source[source]
    where: dict[str, Any] = {
        "task_type": TASK,
        "task_name": "Text classification",
        "dataset_name": name,
        "dataset_type": dataset,
        "dataset_split": "test",
        "source_url": f"{HUB}/{recipe.hub.model}/blob/main/{release.METRICS}",
        "source_name": f"{release.METRICS}, measured on {default.file}",
        **more,
    }
    accuracy, macro_f1 = (round(float(value), PLACES) for value in (scores.accuracy, scores.macro_f1))
    return [
        EvalResult(metric_type="accuracy", metric_value=accuracy, metric_name="Accuracy", **where),
        EvalResult(
            metric_type="f1",
            metric_value=macro_f1,
            metric_name="Macro F1",
            metric_args={"average": "macro"},
            **where,
        ),
    ]


def _emissions(recipe: Recipe, metrics: Metrics) -> dict[str, Any] | None:
    """Return the estimate in grams with how it was made; None where the recipe states no power."""
    grams, energy = metrics.training.co2_grams_estimate, recipe.energy
    if grams is None or energy is None:
        return None
    since = f" since step {metrics.training.resumed_at}" if metrics.training.resumed_at else ""
    return {
        "emissions": float(f"{grams:.3g}"),
        "source": (
            f"estimate: {energy.watts:g} W stated x {metrics.training.seconds:.0f} s measured{since}, "
            f"at {energy.grams_per_kwh:g} g a kWh stated"
        ),
        "training_type": "fine-tuning",
        "hardware_used": metrics.machine.processor,
    }

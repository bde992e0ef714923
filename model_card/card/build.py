"""The model card: the template filled with a recipe and what its run measured; same inputs, same text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from finsent import release
from finsent.errors import ReleaseError
from finsent.licences import find_licence
from finsent.onnx_files import ONNX_FILES, TRANSFORMERS_JS, OnnxFile
from finsent.recipe.recipe import Recipe
from finsent.scoring import CALIBRATION_BINS, Scores
from model_card.card.formats import FILTERS
from model_card.card.metadata import HUB, card_metadata
from model_card.explanations.figures import INTEGRATED, RANDOM
from model_card.measure.abstention import LEAST_ANSWERED
from model_card.measure.cautions import list_cautions
from model_card.measure.metrics_file import PYTORCH, ExampleResult, Metrics

TEMPLATES = Path(__file__).parent
LONGEST_TABLE = 12  # slices; more are folded away
SIGNIFICANT = 0.05  # a p below it is called more than chance


def build_card(recipe: Recipe, metrics: Metrics) -> str:
    """Return the text of README.md. ReleaseError if the figures belong to another recipe's labels."""
    default = metrics.variant(metrics.default_variant)
    if list(default.scores.per_class) != recipe.labels:
        raise ReleaseError(
            f"{release.METRICS}: has labels {list(default.scores.per_class)}, the recipe {recipe.labels}; "
            "run train.py again"
        )
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # the card is Markdown; what must be escaped goes through a filter
    )
    environment.filters.update(FILTERS)
    environment.tests["covering"] = _covers_labels
    body = environment.get_template("template.md.jinja").render(_view(recipe, metrics))
    return card_metadata(recipe, metrics) + "\n" + _tidy(body)


def _view(recipe: Recipe, metrics: Metrics) -> dict[str, Any]:
    """Return the names that the template knows."""
    return {
        "recipe": recipe,
        "metrics": metrics,
        "data": metrics.data,
        "files": release,
        "hub": HUB,
        "default": metrics.variant(metrics.default_variant),
        "onnx_files": _find_rows(metrics),
        "budgets": {variant.name: variant.budget for variant in recipe.export.variants},
        "titles": {source.name: source.title for source in recipe.data.sources},
        "licence": find_licence(metrics.licence, release.METRICS),
        "example": metrics.examples[0],
        "examples": [_judged(example) for example in metrics.examples],
        "label_examples": {example.expected: example.text for example in reversed(metrics.examples)},
        "calibration_bins": CALIBRATION_BINS,
        "longest_table": LONGEST_TABLE,
        "significant": SIGNIFICANT,
        "abstention": metrics.abstention,
        "explanations": metrics.explanations,
        "explained": {
            "examples": any(one.explanation for one in metrics.examples),
            "mistakes": any(one.explanation for one in metrics.mistakes),
        },
        "integrated": INTEGRATED,
        "random_order": RANDOM,
        "cautions": list_cautions(metrics),
        "handler": metrics.run_of(release.HANDLER),
        "in_browser": metrics.is_loaded_by(TRANSFORMERS_JS),
        "least_answered": LEAST_ANSWERED,
    }


def _find_rows(metrics: Metrics) -> dict[str, OnnxFile]:
    """Return the rows of the released ONNX files by name, the default first.

    ReleaseError if one of them is of a newer finsent.
    """
    names = [variant.name for variant in metrics.variants if variant.name != PYTORCH]
    if unknown := [name for name in names if name not in ONNX_FILES]:
        raise ReleaseError(
            f"{release.METRICS}: unknown ONNX file {unknown[0]!r}, known are {', '.join(ONNX_FILES)}; "
            "use the finsent version that built the release"
        )
    names.sort(key=lambda name: name != metrics.default_variant)
    return {name: ONNX_FILES[name] for name in names}


def _covers_labels(scores: Scores) -> bool:
    """Tell whether every label has a row; without one its F1 is 0, and the mean would mislead."""
    return all(one.support > 0 for one in scores.per_class.values())


def _judged(example: ExampleResult) -> dict[str, Any]:
    predicted, score = max(example.scores.items(), key=lambda item: item[1])
    right = predicted == example.expected
    return {**example.model_dump(), "predicted": predicted, "score": score, "right": right}


def _tidy(body: str) -> str:
    """Take away blanks at line ends and repeated empty lines outside code, which blocks leave behind."""
    tidied: list[str] = []
    inside = False
    for line in body.split("\n"):
        inside ^= line.startswith("```")
        clean = line.rstrip()
        if inside or clean or (tidied and tidied[-1]):
            tidied.append(clean)
    return "\n".join(tidied).strip("\n") + "\n"

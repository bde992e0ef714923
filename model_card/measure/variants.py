"""Every file of weights on the same test rows: PyTorch, then each ONNX file beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export.gate import check_budget, measure_drift
from finsent.data.rows import Row
from finsent.errors import ReleaseError
from finsent.onnx_files import FP32, ONNX_FILES, OnnxFile
from finsent.recipe.export import Export
from finsent.recipe.recipe import Recipe
from finsent.release import WEIGHTS, sha256
from finsent.scoring import Floats, Ints
from model_card.measure.metrics_file import PYTORCH, Dropped, VariantFigures
from model_card.measure.pace import show_files, tell_pace
from model_card.measure.predictors import Predict, onnx_predictor, pytorch_predictor
from model_card.measure.scores import class_numbers, score_rows
from model_card.measure.timing import time_texts

INVARIANCE_ROWS = 256


@dataclass(frozen=True)
class MeasuredVariant:
    """The figures of a file, and its probabilities on the test rows `(n, n_labels)`."""

    figures: VariantFigures
    probabilities: Floats


@dataclass(frozen=True)
class GatedVariants:
    """What the gate made of the variants: those that are released, PyTorch first, and those that are not."""

    released: list[MeasuredVariant]
    dropped: list[Dropped]

    @classmethod
    def without(cls, dropped: list[Dropped], measured: list[MeasuredVariant]) -> GatedVariants:
        """Return what is left of all that was measured."""
        names = {one.name for one in dropped}
        return cls([one for one in measured if one.figures.name not in names], dropped)

    def find(self, name: str) -> MeasuredVariant:
        """Return a released variant; StopIteration if there is none of that name."""
        return next(one for one in self.released if one.figures.name == name)


def measure_variants(recipe: Recipe, rows: list[Row], folder: Path) -> list[MeasuredVariant]:
    """Measure the weights in `folder`, then every ONNX file that the recipe names, which must lie there."""
    texts, labels = [row.text for row in rows], class_numbers(rows, recipe.labels)
    predict = pytorch_predictor(folder, recipe.evaluation.batch_size)
    files = [ONNX_FILES[variant.name] for variant in recipe.export.variants]
    alone = recipe.evaluation.latency_texts + INVARIANCE_ROWS
    tell_pace(predict, texts, recipe.evaluation.batch_size, alone, 1 + len(files))
    pytorch = _measure_pytorch(recipe, predict, folder, texts, labels)
    shown = show_files(files, len(files))
    return [pytorch, *(_measure_onnx(recipe, file, folder, texts, labels, pytorch) for file in shown)]


def find_dropped(export: Export, measured: list[MeasuredVariant]) -> list[Dropped]:
    """Return which ONNX files are over the budget that the recipe gives them, and why."""
    drifts = {one.figures.name: one.figures.drift for one in measured if one.figures.drift is not None}
    return [
        Dropped(name=variant.name, reasons=reasons)
        for variant in export.variants
        if (reasons := check_budget(drifts[variant.name], variant.budget))
    ]


def check_required(export: Export, dropped: list[Dropped]) -> None:
    """Raise ReleaseError for a file over its budget that the release cannot do without.

    fp32 is always required: the others are made from it, and every release holds it.
    """
    required = {FP32.name, *(variant.name for variant in export.variants if variant.required)}
    if failed := [one for one in dropped if one.name in required]:
        told = (f"{one.name} is required and over its budget ({'; '.join(one.reasons)})" for one in failed)
        raise ReleaseError(
            f"{', '.join(told)}; train longer, keep nodes in float, or widen export.variants.budget"
        )


def _measure_pytorch(
    recipe: Recipe, predict: Predict, folder: Path, texts: list[str], labels: Ints
) -> MeasuredVariant:
    probabilities = predict(texts)
    figures = VariantFigures(
        name=PYTORCH,
        file=WEIGHTS,
        runtime="transformers",
        precision="fp32",
        bytes=(folder / WEIGHTS).stat().st_size,
        sha256=sha256(folder / WEIGHTS),
        scores=score_rows(recipe, probabilities, labels),
        drift=None,
        timing=time_texts(predict, texts, recipe.evaluation.latency_texts),
    )
    return MeasuredVariant(figures, probabilities)


def _measure_onnx(
    recipe: Recipe, file: OnnxFile, folder: Path, texts: list[str], labels: Ints, pytorch: MeasuredVariant
) -> MeasuredVariant:
    predict = onnx_predictor(folder, file.path, recipe.evaluation.batch_size)
    probabilities = predict(texts)
    alone, padded = _predict_both_ways(predict, texts, recipe.evaluation.batch_size)
    figures = VariantFigures(
        name=file.name,
        file=file.path,
        runtime="onnxruntime",
        precision=file.precision,
        bytes=(folder / file.path).stat().st_size,
        sha256=sha256(folder / file.path),
        scores=score_rows(recipe, probabilities, labels),
        drift=measure_drift(pytorch.probabilities, probabilities, alone, padded, labels),
        timing=time_texts(predict, texts, recipe.evaluation.latency_texts),
    )
    return MeasuredVariant(figures, probabilities)


def _predict_both_ways(predict: Predict, texts: list[str], batch_size: int) -> tuple[Floats, Floats]:
    """Return probabilities of the first texts alone, and of the same beside one of the greatest length."""
    some, longest = texts[:INVARIANCE_ROWS], max(texts, key=len)
    step = batch_size - 1
    starts = range(0, len(some), step)
    alone = np.concatenate([predict([text]) for text in some])
    padded = np.concatenate([predict([*some[start : start + step], longest])[:-1] for start in starts])
    return alone, padded

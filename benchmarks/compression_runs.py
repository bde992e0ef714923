"""What benchmarks/compression.py measures: an encoder trained whole, then cut in one way at a time."""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx.version_converter import convert_version
from pydantic import BaseModel

from export.quantize import quantize
from export.to_onnx import export_onnx
from export.to_q4 import BLOCK, OPSET, convert_to_q4, round_weights
from finsent.cli import say
from finsent.data.rows import Row
from finsent.data.splits import Splits, fingerprint, fingerprint_in_order
from finsent.encoder.load import load_base
from finsent.errors import BaseModelError, FinsentError
from finsent.mirror import mirror_from_environment
from finsent.onnx_files import FP32, Q4, QUANTIZED
from finsent.preparation import prepare_splits
from finsent.recipe.export import Variant
from finsent.recipe.recipe import Recipe
from finsent.release import WEIGHTS
from finsent.training.fit import fit
from inference.classifier import Classifier

Changes = dict[str, Any]  # keys of a recipe's base

CHOOSING = 8  # one training row in so many chooses the checkpoint, since the validation rows are scored
MEASURED = "measured.json"
SMALL_TABLE = "onnx/model_int8_table4.onnx"  # of this benchmark alone: no release has it
LEAST = {"intermediate_size": 8, "vocabulary": 500, "embedding_rank": 8}  # what a recipe allows


@dataclass(frozen=True)
class Setup:
    """What all ways share: the recipe, rows to train on and to choose by, and those that are scored."""

    recipe: Recipe
    splits: Splits
    scored: list[Row]


@dataclass(frozen=True)
class Shape:
    """What decides the bytes of a BERT: `pieces` and `rows` (those of all tables), `hidden`, `layers`."""

    pieces: int
    rows: int
    hidden: int
    layers: list[int]
    inner: int


class Measured(BaseModel):
    """One file: its bytes, what its model has, and the probabilities of the scored rows `(n, n_labels)`."""

    name: str
    folder: Path
    file: str
    bytes: int
    parameters: int
    stays: str
    probabilities: list[list[float]]


def prepare(recipe: Recipe, rows: int | None, epochs: float | None) -> Setup:
    """Return the rows of a recipe: at most `rows` to train on, drawn by their hash; `epochs` as given.

    Labels alone are learnt, without teachers. Raises FinsentError where the encoder is cut in rank already,
    or rows are too few.
    """
    if recipe.base.embedding_rank is not None:
        raise FinsentError("base.embedding_rank: the recipe has one already; leave it out to compare")
    training = recipe.training if epochs is None else recipe.training.model_copy(update={"epochs": epochs})
    changed = recipe.model_copy(update={"training": training, "distillation": None, "allow_weak": True})
    splits = prepare_splits(changed, mirror_from_environment())
    choosing, fitted = _divide(splits.train, rows)
    if not choosing or not fitted:
        purpose = "to train on" if choosing else "to choose the checkpoint by"
        raise FinsentError(f"{recipe.name} has too few rows: none {purpose}; add training rows")
    return Setup(changed, replace(splits, train=fitted, validation=choosing, test=[]), splits.validation)


def _divide(rows: list[Row], most: int | None) -> tuple[list[Row], list[Row]]:
    """Return rows to choose by and rows to train on, at most `most`; a group stays together."""
    numbers = {row: int(_digest(row.group or row.text), 16) for row in rows}
    drawn = sorted(rows, key=lambda row: (numbers[row] // CHOOSING, row.text))
    choosing = [row for row in drawn if numbers[row] % CHOOSING == 0]
    fitted = [row for row in drawn if numbers[row] % CHOOSING][:most]
    return choosing[: max(1, len(fitted) // (CHOOSING - 1))], fitted


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def measure_whole(setup: Setup, runs: Path) -> list[Measured]:
    """Train the encoder as the recipe has it, and return its files, fp32 first."""
    files = {"fp32": FP32.path, "int8": QUANTIZED.path, "int8, table of 4 bits": SMALL_TABLE, "q4": Q4.path}
    return _measure(setup, {}, "all", files, runs)


def measure_cuts(
    setup: Setup, shape: Shape, whole: Measured, target: int, runs: Path
) -> tuple[list[Measured], list[str]]:
    """Cut the encoder in every way until its int8 file has at most about `target` bytes, and train it.

    Returns them, and a sentence for every way that cannot.
    """
    found, reasons = [], []
    for name, cut in CUTS.items():
        changes = cut(shape, whole.bytes - target)
        try:
            _check_least(changes)
            stays = ", ".join(f"{value}" for value in changes.values())
            found += _measure(setup, changes, f"{name}: {stays}", {f"fewer {name}": QUANTIZED.path}, runs)
        except BaseModelError as error:
            reasons.append(f"fewer {name}: {error}")
    return found, reasons


def read_shape(setup: Setup) -> Shape:
    """Return the shape of the recipe's encoder; FinsentError unless a BERT, its table fit for 4 bits."""
    texts = [row.text for row in setup.splits.train]
    config = load_base(setup.recipe, texts, mirror_from_environment()).model.config
    if config.model_type != "bert":
        raise FinsentError(f"base: got a {config.model_type!r}; only a BERT can be cut in every way")
    if config.hidden_size % BLOCK:
        raise FinsentError(
            f"base: a hidden size of {config.hidden_size} is no multiple of {BLOCK}, so the table cannot "
            "be held in 4 bits; compare another encoder"
        )
    return Shape(
        pieces=config.vocab_size,
        rows=config.vocab_size + config.max_position_embeddings + config.type_vocab_size,
        hidden=config.hidden_size,
        layers=setup.recipe.base.layers or list(range(config.num_hidden_layers)),
        inner=config.intermediate_size,
    )


def fewer_layers(shape: Shape, saved: int) -> Changes:
    """Keep layers that lie as far apart as they can."""
    each = 4 * shape.hidden**2 + 2 * shape.hidden * shape.inner
    kept = len(shape.layers) - math.ceil(saved / each)
    places = np.linspace(0, len(shape.layers) - 1, max(kept, 0)).round().astype(int)
    return {"layers": [shape.layers[place] for place in places]}


def fewer_neurons(shape: Shape, saved: int) -> Changes:
    """Keep fewer neurons in every layer."""
    return {"intermediate_size": shape.inner - math.ceil(saved / (2 * shape.hidden * len(shape.layers)))}


def fewer_pieces(shape: Shape, saved: int) -> Changes:
    """Keep fewer pieces."""
    return {"vocabulary": shape.pieces - math.ceil(saved / shape.hidden)}


def smaller_rank(shape: Shape, saved: int) -> Changes:
    """Keep fewer numbers of every piece and position; the layer behind them costs some again."""
    return {"embedding_rank": math.floor((shape.rows * shape.hidden - saved) / (shape.rows + shape.hidden))}


CUTS: dict[str, Callable[[Shape, int], Changes]] = {
    "layers": fewer_layers,
    "inner neurons": fewer_neurons,
    "pieces": fewer_pieces,
    "numbers a piece (rank)": smaller_rank,
}


def _check_least(changes: Changes) -> None:
    for key, value in changes.items():
        if value == [] or (key in LEAST and value < LEAST[key]):
            raise BaseModelError(f"base.{key} would have to be {value}; the target is out of reach")


def _measure(setup: Setup, changes: Changes, stays: str, files: dict[str, str], runs: Path) -> list[Measured]:
    """Train one encoder and measure files of it, or read what that gave before."""
    base = setup.recipe.base.model_copy(update=changes)
    recipe = setup.recipe.model_copy(update={"base": base})
    rows = [fingerprint(setup.splits.train), fingerprint(setup.splits.validation)]
    made = "".join([recipe.making_fingerprint(), *rows, fingerprint_in_order(setup.scored)])
    folder = runs / f"{recipe.name}-{_digest(made)[:16]}"
    if not (folder / MEASURED).is_file():
        say(f"{', '.join(files)}: {stays}")
        shutil.rmtree(folder, ignore_errors=True)
        parameters = _make(recipe, setup.splits, folder, list(files.values()))
        texts = [row.text for row in setup.scored]
        found = [
            Measured(
                name=name,
                folder=folder,
                file=file,
                bytes=(folder / file).stat().st_size,
                parameters=parameters,
                stays=stays,
                probabilities=Classifier(folder, file).predict(texts).tolist(),
            )
            for name, file in files.items()
        ]
        _write(folder / MEASURED, found)
    return _read(folder / MEASURED)


def _make(recipe: Recipe, splits: Splits, folder: Path, files: list[str]) -> int:
    """Train a recipe, write the ONNX files and return the number of parameters; weights are not kept."""
    texts = [row.text for row in splits.train]
    base = load_base(recipe, texts, mirror_from_environment())
    report = fit(recipe, splits, base, folder / "checkpoints")
    base.save(folder)
    export_onnx(folder, recipe.export.opset)
    variant = Variant(name=QUANTIZED.name)
    if SMALL_TABLE in files:
        quantize(
            folder, variant.model_copy(update={"keep_float": [TABLE]}), texts[: variant.calibration_rows]
        )
        (folder / QUANTIZED.path).replace(folder / SMALL_TABLE)
        round_table(folder / SMALL_TABLE)
    if Q4.path in files:
        convert_to_q4(folder, [])
    quantize(folder, variant, texts[: variant.calibration_rows])
    shutil.rmtree(folder / "checkpoints")
    (folder / WEIGHTS).unlink()
    if FP32.path not in files:
        (folder / FP32.path).unlink()
    return report.parameters


TABLE = "word_embeddings/Gather"


def round_table(file: Path) -> None:
    """Give the table of pieces, which the file has in fp32, 4 bits a number."""
    model = convert_version(onnx.load(file), OPSET)
    others = [node.name for node in model.graph.node if TABLE not in node.name]
    onnx.save(round_weights(model, others, ("Gather",)), file)


def _write(file: Path, found: list[Measured]) -> None:
    partial = file.with_suffix(".partial")
    partial.write_text("\n".join(one.model_dump_json() for one in found) + "\n", encoding="utf-8")
    partial.replace(file)


def _read(file: Path) -> list[Measured]:
    found = map(Measured.model_validate_json, file.read_text(encoding="utf-8").splitlines())
    return [one.model_copy(update={"folder": file.parent}) for one in found]  # it may have been moved

"""Small fittings without dropout: run as a module under torchrun, or called by a test in one process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from finsent.cli import quiet_libraries
from finsent.data.splits import Splits, load_splits
from finsent.encoder.load import load_base
from finsent.pretraining.examples import prepare_material
from finsent.pretraining.fit import fit_encoder
from finsent.pretraining.model import prepare_model
from finsent.pretraining.texts import prepare_texts
from finsent.pretraining.tokens import prepare_reader
from finsent.recipe.file import load_pretraining, load_recipe
from finsent.training.distributed import gathered
from finsent.training.fit import fit
from tests import tiny
from tests.finsent.pretraining import samples

STEP = {"epochs": 1, "evaluations": 1, "dropout": 0.0, "bf16": "off", "learning_rate": 1e-3, "warmup": 0.0}
LOSS = {"class_weights": "root", "label_smoothing": 0.1}
# All rows in one batch, of which one process gets a row more; batches of 8 with a row at the end, for two
# passes; and the same rows in parts, which long texts would need.
CASES: dict[str, dict[str, Any]] = {
    "step": STEP | LOSS | {"batch_size": 64},
    "passes": STEP | LOSS | {"batch_size": 8, "epochs": 2, "evaluations": 4},
    "parts": STEP | {"batch_size": 16, "max_tokens": 600},
}
ROWS = 49
ENCODERS = ("mlm", "span")


def write_inputs(folder: Path, encoder: Path) -> None:
    """Write recipes of all cases and what they read."""
    for name, training in CASES.items():
        (folder / name).mkdir(parents=True)
        tiny.write_recipe(folder / name, encoder, training=training)
    for name in ENCODERS:
        (folder / name).mkdir()
        changes = samples.T5 if name == "span" else {"training": samples.STEPS | {"head_warmup": 0.2}}
        steps = changes["training"] | {"epochs": 1, "dropout": 0.0}
        samples.write_pretraining(folder / name, encoder, **(changes | {"training": steps}))


def fit_case(folder: Path) -> None:
    """Fit the classifier of a folder and leave its weights and its report there."""
    recipe = load_recipe(folder / "tiny.yaml")
    splits = some_rows(load_splits(recipe))
    base = load_base(recipe, [row.text for row in splits.train])
    report = fit(recipe, splits, base, folder / "checkpoints")
    save(folder, base.model, asdict(report))


def some_rows(splits: Splits) -> Splits:
    """Return splits with an odd number of training rows, of which annotators were not sure."""
    rows = [replace(row, label_probability=1 - index % 3 / 10) for index, row in enumerate(splits.train)]
    return replace(splits, train=rows[:ROWS])


def fit_encoder_case(folder: Path) -> None:
    """Pretrain the encoder of a folder and leave its weights and its report there."""
    recipe = load_pretraining(folder / "tiny-encoder.yaml")
    texts = prepare_texts(recipe, None)
    reader = prepare_reader(recipe, texts.learnt, None, folder)
    model = prepare_model(recipe, reader, None)
    material = prepare_material(recipe, texts, reader)
    report = fit_encoder(recipe, model, material, folder / "checkpoints", "owner")
    save(folder, model.model, report.model_dump())


def save(folder: Path, model: torch.nn.Module, report: dict[str, Any]) -> None:
    """Write what came out."""
    weights = {name: one.detach().clone().contiguous() for name, one in model.named_parameters()}
    save_file(weights, folder / "fitted.safetensors")
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")


def fit_all(folder: Path) -> None:
    """Fit everything that `write_inputs` wrote."""
    every: list[tuple[Callable[[Path], None], tuple[str, ...]]] = [
        (fit_case, tuple(CASES)),
        (fit_encoder_case, ENCODERS),
    ]
    for fitting, names in every:
        for name in names:
            fitting(folder / name)


if __name__ == "__main__":
    quiet_libraries()
    with gathered() as first:
        if first:
            fit_all(Path(sys.argv[1]))

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from finsent.data.splits import load_splits
from finsent.encoder.load import load_base
from finsent.recipe.recipe import Recipe
from finsent.training.curve import read_curve
from finsent.training.fit import fit
from finsent.training.report import Evaluation
from tests import tiny

LOG = [
    {"loss": 0.9, "step": 10},
    {"eval_loss": 0.8, "eval_macro_f1": 0.5, "step": 10},
    {"loss": 0.0, "step": 20},
    {"eval_loss": float("nan"), "eval_macro_f1": 0.4, "step": 20},
    {"eval_loss": 0.7, "eval_macro_f1": 0.6, "step": 30},
    {"train_loss": 0.9, "step": 30},
]


def test_an_evaluation_has_both_losses_and_no_number_that_json_lacks() -> None:
    assert read_curve(LOG) == (Evaluation(10, 0.9, 0.8, 0.5),)


def test_the_curve_is_whole_after_an_interruption(tiny_recipe: Recipe, tmp_path: Path) -> None:
    splits = load_splits(tiny_recipe)
    whole = fit(tiny_recipe, splits, load_base(tiny_recipe, []), tmp_path)
    state = tiny.read_json(tmp_path / f"checkpoint-{whole.steps}" / "trainer_state.json")
    steps = [entry["step"] for entry in state["log_history"] if "eval_macro_f1" in entry]
    assert [one.step for one in whole.curve] == steps and len(steps) > 1
    assert max(one.validation_macro_f1 for one in whole.curve) == whole.validation_macro_f1
    last = max(steps)
    for step in steps[1:]:
        (tmp_path / f"checkpoint-{step}").rename(tmp_path / f"gone-{step}")
    if not (tmp_path / f"checkpoint-{steps[0]}").is_dir():  # the oldest are not kept
        (tmp_path / f"gone-{last}").rename(tmp_path / f"checkpoint-{last}")
    resumed = fit(tiny_recipe, splits, load_base(tiny_recipe, []), tmp_path, resume=True)
    assert resumed.resumed_at > 0
    assert resumed.curve == whole.curve


def test_the_validation_loss_is_that_of_the_labels(tiny_recipe: Recipe, tmp_path: Path) -> None:
    splits = load_splits(tiny_recipe)
    base = load_base(tiny_recipe, [])
    report = fit(tiny_recipe, splits, base, tmp_path)
    kept = max(report.curve, key=lambda one: one.validation_macro_f1)
    inputs = base.tokenizer()([row.text for row in splits.validation], padding=True, return_tensors="pt")
    with torch.inference_mode():
        logits = base.model(**inputs).logits * report.temperature  # as they were before calibration
    labels = torch.tensor([tiny_recipe.labels.index(row.label) for row in splits.validation])
    expected = torch.nn.functional.cross_entropy(logits, labels).item()
    assert kept.validation_loss == pytest.approx(expected, abs=1e-4)
    assert np.isfinite(kept.train_loss)

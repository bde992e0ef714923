from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from finsent.data.splits import load_splits
from finsent.encoder.load import load_base
from finsent.errors import FinsentError
from finsent.recipe.recipe import Recipe
from finsent.training.fit import class_weights, divide_head, fit, fit_temperature
from tests import tiny


def test_fitting_learns_reports_and_is_repeatable(tiny_recipe: Recipe, tmp_path: Path) -> None:
    splits = load_splits(tiny_recipe)
    texts = [row.text for row in splits.train]
    reports, weights = [], []
    for name in ("one", "two"):
        base = load_base(tiny_recipe, texts)
        reports.append(fit(tiny_recipe, splits, base, tmp_path / name))
        weights.append(base.model.classifier.weight)
    assert torch.equal(*weights)
    assert reports[0].validation_macro_f1 > 0.8
    assert reports[0].temperature == reports[1].temperature
    assert reports[0].watt_hours_estimate == pytest.approx(60 * reports[0].seconds / 3600)
    assert reports[0].co2_grams_estimate == pytest.approx(0.4 * (reports[0].watt_hours_estimate or 0))


@pytest.mark.parametrize("freeze", [False, True])
def test_vectors_of_pieces_stay_when_frozen(tiny_recipe: Recipe, tmp_path: Path, freeze: bool) -> None:
    training = tiny_recipe.training.model_copy(update={"freeze_pieces": freeze})
    recipe = tiny_recipe.model_copy(update={"training": training})
    splits = load_splits(recipe)
    base = load_base(recipe, [row.text for row in splits.train])
    before = {name: weights.clone() for name, weights in base.model.state_dict().items()}
    fit(recipe, splits, base, tmp_path)
    same = {name for name, weights in base.model.state_dict().items() if torch.equal(weights, before[name])}
    pieces = "bert.embeddings.word_embeddings.weight"
    assert (pieces in same) == freeze
    assert not any("layer" in name for name in same)


def test_dropout_is_the_recipe_s_where_it_says_one(tiny_recipe: Recipe, tmp_path: Path) -> None:
    splits = load_splits(tiny_recipe)
    for dropout, expected in ((None, 0.1), (0.0, 0.0)):
        training = tiny_recipe.training.model_copy(update={"dropout": dropout})
        recipe = tiny_recipe.model_copy(update={"training": training})
        base = load_base(recipe, [])
        fit(recipe, splits, base, tmp_path / str(dropout))
        found = [module.p for module in base.model.modules() if isinstance(module, torch.nn.Dropout)]
        assert len(found) == 8  # embeddings, head, and three a layer
        assert set(found) == {expected}
        assert base.model.config.hidden_dropout_prob == 0.1


def test_checkpoints_of_another_recipe_are_not_mixed_in(tiny_recipe: Recipe, tmp_path: Path) -> None:
    splits = load_splits(tiny_recipe)
    fit(tiny_recipe, splits, load_base(tiny_recipe, []), tmp_path)
    other = tiny_recipe.model_copy(update={"seed": 99})
    with pytest.raises(FinsentError, match="another recipe or other rows; run again without --resume"):
        fit(other, splits, load_base(other, []), tmp_path, resume=True)


def test_half_a_checkpoint_is_not_gone_on_from(tiny_recipe: Recipe, tmp_path: Path) -> None:
    splits = load_splits(tiny_recipe)
    whole = fit(tiny_recipe, splits, load_base(tiny_recipe, []), tmp_path)
    latest = max(tmp_path.glob("checkpoint-*"), key=lambda folder: int(folder.name.rpartition("-")[2]))
    assert latest.name == f"checkpoint-{whole.steps}"
    half = tmp_path / f"checkpoint-{whole.steps + 1}"
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"the disk was full")
    resumed = fit(tiny_recipe, splits, load_base(tiny_recipe, []), tmp_path, resume=True)
    assert resumed.resumed_at == whole.steps
    assert not half.exists()


@pytest.mark.parametrize("evaluations", [1, 3, 7])
def test_the_last_step_is_evaluated(tiny_recipe: Recipe, tmp_path: Path, evaluations: int) -> None:
    training = tiny_recipe.training.model_copy(
        update={"evaluations": evaluations, "patience": 9, "epochs": 1}
    )
    recipe = tiny_recipe.model_copy(update={"training": training})
    report = fit(recipe, load_splits(recipe), load_base(recipe, []), tmp_path)
    state = tiny.read_json(tmp_path / f"checkpoint-{report.steps}" / "trainer_state.json")
    evaluated = [entry["step"] for entry in state["log_history"] if "eval_macro_f1" in entry]
    assert len(evaluated) == evaluations
    assert evaluated[-1] == report.steps


def test_the_temperature_is_found_and_sits_in_the_head(tiny_recipe: Recipe) -> None:
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(4000, 3)) * 2
    exponential = np.exp(logits)
    labels = np.array([draw.choice(3, p=row / row.sum()) for row in exponential])
    assert fit_temperature(logits * 3, labels) == pytest.approx(3, rel=0.1)
    base = load_base(tiny_recipe, [])
    before = base.model.classifier.weight.detach().clone()
    divide_head(base.model, 2.0)
    assert torch.allclose(base.model.classifier.weight, before / 2)


def test_class_weights_are_mean_one_and_favour_the_rare(tiny_recipe: Recipe) -> None:
    splits = load_splits(tiny_recipe)
    training = tiny_recipe.training.model_copy(update={"class_weights": "balanced"})
    recipe = tiny_recipe.model_copy(update={"training": training})
    weights = class_weights(splits, recipe)
    assert weights is not None
    counts = torch.tensor([sum(row.label == label for row in splits.train) for label in recipe.labels])
    assert float((weights * counts).sum() / counts.sum()) == pytest.approx(1)
    assert weights.argmax() == counts.argmin()
    assert class_weights(splits, tiny_recipe) is None


def test_a_killed_training_goes_on_with_resume(tiny_base: Path, tmp_path: Path) -> None:
    training = {"epochs": 100, "batch_size": 2, "evaluations": 100, "patience": 100, "bf16": "off"}
    recipe = tiny.write_recipe(tmp_path, tiny_base, training=training)
    command = [sys.executable, "train.py", str(recipe), "--runs", str(tmp_path / "runs")]
    run = tmp_path / "runs" / "tiny"
    process = subprocess.Popen(command, cwd=tiny.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(run.glob("checkpoints/checkpoint-*/trainer_state.json")):
        assert time.monotonic() < deadline and process.poll() is None, "no checkpoint came"
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (run / "release").exists()
    done = tiny.run_train(recipe, tmp_path / "runs", "--resume")
    assert done.returncode == 0, done.stderr
    metrics = tiny.read_json(run / "release" / "metrics.json")
    assert metrics["training"]["resumed_at"] > 0
    assert not (run / "checkpoints").exists()

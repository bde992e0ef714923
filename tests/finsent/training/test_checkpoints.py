from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from finsent.data.splits import load_splits
from finsent.encoder.load import load_base
from finsent.errors import FinsentError
from finsent.recipe.recipe import Recipe
from finsent.training.fit import fit
from tests import tiny


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


def test_a_killed_training_goes_on_with_resume(tiny_base: Path, tmp_path: Path) -> None:
    training = {"epochs": 12, "batch_size": 4, "evaluations": 12, "patience": 12, "bf16": "off"}
    recipe = tiny.write_recipe(tmp_path, tiny_base, training=training)
    command = [sys.executable, "train.py", str(recipe), "--runs", str(tmp_path / "runs")]
    run = tmp_path / "runs" / "tiny"
    process = subprocess.Popen(command, cwd=tiny.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(run.glob("checkpoints/checkpoint-*/trainer_state.json")):
        assert process.poll() is None, "it ended before a checkpoint came"
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (run / "release").exists()
    done = tiny.run_train(recipe, tmp_path / "runs", "--resume")
    assert done.returncode == 0, done.stderr
    metrics = tiny.read_json(run / "release" / "metrics.json")
    assert metrics["training"]["resumed_at"] > 0
    assert not (run / "checkpoints").exists()

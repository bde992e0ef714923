"""pretrain.py as a person runs it, and train.py from what it made."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from finsent.pretraining.report import read_report
from finsent.recipe.file import load_recipe
from finsent.release import sha256
from inference.classifier import Classifier
from tests import tiny
from tests.finsent.pretraining import samples

pytestmark = pytest.mark.slow
WEIGHTS = "model.safetensors"
LONG = {"epochs": 6, "length": 32, "batch_size": 4, "evaluations": 20, "bf16": "off"}


def command(recipe: Path, runs: Path, *options: str) -> list[str]:
    return [sys.executable, "pretrain.py", str(recipe), "--runs", str(runs), *options]


def run(recipe: Path, runs: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(recipe, runs, *options),
        cwd=tiny.ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_a_run_that_was_killed_ends_in_the_same_weights(tmp_path: Path, tiny_base: Path) -> None:
    recipe = samples.write_pretraining(tmp_path, tiny_base, training=LONG)
    whole, cut = tmp_path / "whole" / "tiny-encoder", tmp_path / "cut" / "tiny-encoder"
    done = run(recipe, whole.parent)
    assert done.returncode == 0, done.stderr
    assert "held-out perplexity" in done.stdout and "sequences of 32 without padding" in done.stderr
    with subprocess.Popen(command(recipe, cut.parent), cwd=tiny.ROOT, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 200
        while not list((cut / "checkpoints").glob("checkpoint-*/trainer_state.json")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert not (cut / "encoder").exists()
    done = run(recipe, cut.parent, "--resume")
    assert done.returncode == 0, done.stderr
    assert read_report(cut / "encoder").fit.resumed_at > 0
    assert sha256(cut / "encoder" / WEIGHTS) == sha256(whole / "encoder" / WEIGHTS)
    before = (whole / "encoder" / "pretraining.json").stat().st_mtime_ns
    again = run(recipe, whole.parent, "--if-missing")
    assert again.returncode == 0 and again.stdout.startswith("tiny-encoder: ")
    assert (whole / "encoder" / "pretraining.json").stat().st_mtime_ns == before


def test_a_classifier_has_its_encoder_made_first_and_once(tmp_path: Path, tiny_base: Path) -> None:
    data = samples.pretraining_tree(tiny_base)["data"] | {"protect": {"recipes": ["tiny.yaml"]}}
    samples.write_pretraining(tmp_path, tiny_base, data=data)
    card = tiny.card_tree() | {"licence": "cc-by-sa-4.0"}
    recipe = tiny.write_recipe(tmp_path, tiny_base, base={"recipe": "tiny-encoder.yaml"}, card=card)
    first = tiny.run_train(recipe, tmp_path / "runs")
    assert first.returncode == 0, first.stderr
    assert "encoder: tiny-encoder" in first.stderr and "pretraining: mlm" in first.stderr
    release = tmp_path / "runs" / "tiny" / "release"
    assert Classifier(release)("Arvo profit rose this quarter").label in tiny.LABELS
    card_text = (release / "README.md").read_text(encoding="utf-8")
    assert "| data: News | `cc-by-sa-4.0` |" in card_text and "license: cc-by-sa-4.0" in card_text
    assert "| Pretrained | on News, by masked words |" in card_text
    assert load_recipe(release / "recipe.yaml").base.recipe is not None
    again = tiny.run_train(recipe, tmp_path / "runs")
    assert again.returncode == 0 and "pretraining: mlm" not in again.stderr


def test_what_is_wrong_ends_in_one_line(tmp_path: Path, tiny_base: Path) -> None:
    recipe = samples.write_pretraining(tmp_path, tiny_base, licence="apache-2.0")
    done = run(recipe, tmp_path / "runs")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("pretrain.py: licence: got 'apache-2.0'")
    assert "Traceback" not in done.stderr

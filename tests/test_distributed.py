"""train.py and pretrain.py as torchrun starts them: two processes, one release."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from finsent.pretraining.report import read_report
from finsent.release import missing_files
from tests import launched, tiny
from tests.finsent.pretraining import samples

pytestmark = pytest.mark.slow
LONG = {"epochs": 20, "batch_size": 4, "evaluations": 20, "patience": 1, "bf16": "off"}


def wait_for_checkpoint(process: subprocess.Popen[str], run: Path) -> None:
    deadline = time.monotonic() + 200
    while not list(run.glob("checkpoints/checkpoint-*/trainer_state.json")):
        assert process.poll() is None and time.monotonic() < deadline, "it ended before a checkpoint came"
        time.sleep(0.05)


def process_of(launcher: int, rank: int) -> int:
    """Return the id of one of the processes that a launcher started."""
    children = psutil.Process(launcher).children(recursive=True)
    return next(int(one.pid) for one in children if one.environ().get("RANK") == str(rank))


def test_a_process_that_dies_ends_the_others_and_the_run_goes_on(tmp_path: Path, tiny_base: Path) -> None:
    recipe = tiny.write_recipe(tmp_path, tiny_base, training=LONG)
    command = ("train.py", str(recipe), "--runs", str(tmp_path / "runs"))
    run = tmp_path / "runs" / "tiny"
    process = subprocess.Popen(
        launched.launched(2, *command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **launched.settings()
    )
    wait_for_checkpoint(process, run)
    os.kill(process_of(process.pid, 1), signal.SIGKILL)
    out, said = process.communicate(timeout=60)
    assert process.returncode != 0 and out == "" and "Signal 9 (SIGKILL) received" in said
    assert not (run / "release").exists()
    done = launched.run(2, *command, "--resume")
    assert done.returncode == 0, done.stderr
    assert missing_files(run / "release") == [] and not (run / "checkpoints").exists()
    training = tiny.read_json(run / "release" / "metrics.json")["training"]
    assert training["resumed_at"] > 0 and training["processes"] == 2
    assert "| Batch size | 4, shared by 2 processes |" in (run / "release" / "README.md").read_text("utf-8")
    said = [line for line in done.stderr.splitlines() if line.startswith("training: ")]
    assert len(said) == 1 and said[0].endswith(" rows, shared by 2 processes")
    assert done.stdout.count("tiny") == done.stdout.count("\n  peak memory ") == 1


def test_an_encoder_is_pretrained_by_both(tmp_path: Path, tiny_base: Path) -> None:
    recipe = samples.write_pretraining(tmp_path, tiny_base)
    done = launched.run(2, "pretrain.py", str(recipe), "--runs", str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    report = read_report(tmp_path / "runs" / "tiny-encoder" / "encoder")
    assert report.fit.processes == 2 and report.fit.perplexity_after < 0.6 * report.fit.perplexity_before
    assert done.stdout.startswith("tiny-encoder: ") and done.stdout.count("tiny-encoder") == 1

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.utils.data import SequentialSampler
from transformers import TrainerCallback, TrainingArguments

from finsent.data.splits import load_splits
from finsent.encoder.base_model import BaseModel
from finsent.encoder.load import load_base
from finsent.pretraining.fit import PretrainingTrainer
from finsent.recipe.recipe import Recipe
from finsent.recipe.training import Training
from finsent.training import fit as fitting
from finsent.training.batches import rows_at_once
from finsent.training.sharing import Shares, SharingTrainer
from tests import launched, tiny
from tests.finsent.training import fitted


def shares_of(rows: int, batch: int, at_once: int, processes: int) -> list[Shares]:
    order = SequentialSampler(range(rows))
    return [Shares(order, batch, at_once, rank, processes) for rank in range(processes)]


@pytest.mark.parametrize(("rows", "at_once"), [(48, 6), (48, 2), (41, 6), (41, 2), (36, 3), (38, 3), (5, 3)])
@pytest.mark.parametrize("processes", [1, 2, 3])
def test_each_step_reads_the_same_rows_however_many_share_it(rows: int, at_once: int, processes: int) -> None:
    batch = 12
    at_once = math.gcd(at_once, batch // processes)
    parts = batch // processes // at_once
    every = [list(share) for share in shares_of(rows, batch, at_once, processes)]
    for start in range(0, rows, batch):
        step = start // batch
        read = [row for own in every for part in own[step * parts : (step + 1) * parts] for row in part]
        expected = list(range(start, min(start + batch, rows)))
        assert sorted(set(read)) == expected
        assert len(read) == len(expected) or len(expected) < processes
    assert all(own for own in every)


@pytest.mark.parametrize("rows", [1, 2, 11, 12, 13, 25, 36])
def test_the_length_of_a_share_is_how_often_it_gives(rows: int) -> None:
    for processes in (1, 2, 4):
        for share in shares_of(rows, 12, 2, processes):
            assert len(share) == len(list(share))


def test_rows_too_few_to_share_are_computed_by_all() -> None:
    assert [list(share)[-1] for share in shares_of(9, 8, 2, 4)] == [[8]] * 4
    assert [list(share)[-1] for share in shares_of(13, 8, 2, 4)] == [[8, 12], [9], [10], [11]]


@pytest.mark.parametrize(
    ("rows", "processes", "at_once"), [(32, 1, 16), (32, 2, 16), (32, 4, 8), (24, 2, 12)]
)
def test_a_process_computes_parts_of_its_own_share(rows: int, processes: int, at_once: int) -> None:
    assert rows_at_once(Training(batch_size=rows, max_tokens=256), processes) == at_once


def test_several_gpus_without_a_launcher_do_not_multiply_the_batch(
    tmp_path: Path, tiny_recipe: Recipe, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = TrainingArguments(str(tmp_path), per_device_train_batch_size=32, use_cpu=True)
    arguments._n_gpu = 3  # as where three are seen
    assert arguments.train_batch_size == 96
    model = load_base(tiny_recipe, []).model
    trainer = SharingTrainer(model=model, args=arguments)
    told = "  one of 3 GPUs is used; start with torchrun --nproc-per-node 3 to use them all\n"
    assert capsys.readouterr().err == told
    assert arguments.train_batch_size == 32 and trainer._wrap_model(model) is model
    SharingTrainer(model=model, args=arguments)
    assert capsys.readouterr().err == ""


def test_nothing_trains_past_the_trainer_that_shares() -> None:
    assert issubclass(PretrainingTrainer, SharingTrainer)
    rooms = [
        path for room in ("finsent", "benchmarks", "model_card") for path in (tiny.ROOT / room).rglob("*.py")
    ]
    plain = [path.name for path in rooms if re.search(r"[( =]Trainer\(", path.read_text(encoding="utf-8"))]
    assert plain == []


class Killed(TrainerCallback):  # type: ignore[misc]
    """Ends a training where a step begins, as a kill would."""

    def __init__(self, at: int) -> None:
        self.at = at

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.at:
            raise KeyboardInterrupt


@pytest.fixture
def fit_and_kill(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Fit as `fit` does, killed after so many steps."""

    def fit_until(at: int, *given: Any) -> None:
        build = fitting._build_trainer

        def build_killed(*args: Any) -> Any:
            trainer = build(*args)
            trainer.add_callback(Killed(at))
            return trainer

        with monkeypatch.context() as patch:
            patch.setattr(fitting, "_build_trainer", build_killed)
            with pytest.raises(KeyboardInterrupt):
                fitting.fit(*given)

    return fit_until


def same_weights(one: BaseModel, other: BaseModel) -> bool:
    pairs = zip(one.model.parameters(), other.model.parameters(), strict=True)
    return all(torch.equal(first, second) for first, second in pairs)


def with_training(recipe: Recipe, **changes: Any) -> Recipe:
    return recipe.model_copy(update={"training": recipe.training.model_copy(update=changes)})


def test_a_run_goes_on_with_its_own_batches_after_one_of_other_shares(
    tiny_recipe: Recipe, tmp_path: Path, fit_and_kill: Callable[..., None]
) -> None:
    recipe = with_training(tiny_recipe, dropout=0.0, epochs=1, evaluations=2)
    splits, bases = load_splits(recipe), [load_base(recipe, []) for _ in range(3)]
    whole = fitting.fit(recipe, splits, bases[0], tmp_path / "whole")
    fit_and_kill(5, recipe, splits, bases[1], tmp_path / "cut")
    state = next((tmp_path / "cut").glob("checkpoint-*/trainer_state.json"))
    told = state.read_text(encoding="utf-8")
    assert '"train_batch_size": 8' in told
    state.write_text(told.replace('"train_batch_size": 8', '"train_batch_size": 4'), encoding="utf-8")
    resumed = fitting.fit(recipe, splits, bases[2], tmp_path / "cut", resume=True)
    assert 0 < resumed.resumed_at < resumed.steps == whole.steps
    assert same_weights(bases[0], bases[2])


@pytest.mark.parametrize("margin", [0.0, 1.0])
def test_a_run_resumed_within_a_later_pass_ends_the_same(
    margin: float, tiny_recipe: Recipe, tmp_path: Path, fit_and_kill: Callable[..., None]
) -> None:
    recipe = with_training(tiny_recipe, epochs=3, evaluations=4, dropout=0.1, pair_margin=margin)
    splits, bases = load_splits(recipe), [load_base(recipe, []) for _ in range(4)]
    if margin:
        rows = [replace(row, group=str(index // 4)) for index, row in enumerate(splits.train)]
        splits = replace(splits, train=rows)
    whole = fitting.fit(recipe, splits, bases[0], tmp_path / "whole")
    a_pass, every = math.ceil(len(splits.train) / 8), whole.steps // 4
    assert a_pass < 2 * every and 2 * every % a_pass  # the second checkpoint lies within a later pass
    fit_and_kill(2 * every + 1, recipe, splits, bases[1], tmp_path / "cut")
    resumed = fitting.fit(recipe, splits, bases[2], tmp_path / "cut", resume=True)
    assert (resumed.resumed_at, resumed.steps) == (2 * every, whole.steps)
    assert same_weights(bases[0], bases[2])
    again = fitting.fit(recipe, splits, bases[3], tmp_path / "cut", resume=True)
    assert (again.resumed_at, again.steps) == (whole.steps, whole.steps)  # killed after its last step
    assert same_weights(bases[0], bases[3])


def test_patience_outlasts_an_interruption(
    tiny_recipe: Recipe, tmp_path: Path, fit_and_kill: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = with_training(tiny_recipe, epochs=6, evaluations=9, patience=3, learning_rate=1e-9)
    scores = iter([0.5, 0.6, 0.6, 0.4, *[0.7] * 9] * 3)
    monkeypatch.setattr(fitting, "_macro_f1", lambda _: {"macro_f1": next(scores)})
    splits, bases = load_splits(recipe), [load_base(recipe, []) for _ in range(3)]
    every = math.ceil(6 * math.ceil(len(splits.train) / 8) / 9)
    fit_and_kill(4 * every + 1, recipe, splits, bases[0], tmp_path)
    scores = iter([0.6, *[0.7] * 9])
    resumed = fitting.fit(recipe, splits, bases[1], tmp_path, resume=True)
    assert (resumed.resumed_at, resumed.steps) == (4 * every, 5 * every)
    again = fitting.fit(recipe, splits, bases[2], tmp_path, resume=True)
    assert (again.resumed_at, again.steps) == (5 * every, 5 * every)
    assert same_weights(bases[1], bases[2])


@pytest.mark.slow
def test_two_processes_do_the_steps_of_one(tmp_path: Path, tiny_base: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        fitted.write_inputs(folder, tiny_base)
    done = launched.run(2, "-m", "tests.finsent.training.fitted", str(two))
    assert done.returncode == 0, done.stderr
    fitted.fit_all(one)
    for name in (*fitted.CASES, *fitted.ENCODERS):
        alone, shared = (tiny.read_json(folder / name / "report.json") for folder in (one, two))
        assert (alone["steps"], alone["processes"], shared["processes"]) == (shared["steps"], 1, 2), name
        weights, others = (load_file(folder / name / "fitted.safetensors") for folder in (one, two))
        differ = {key: float((weights[key] - others[key]).abs().max()) for key in weights}
        assert max(differ.values()) < 1e-5, (name, differ)

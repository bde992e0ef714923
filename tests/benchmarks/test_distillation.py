from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from benchmarks import distillation
from benchmarks.distillation import Fitted, Task, Way, list_ways, prepare, render, run_ways, taught_by
from benchmarks.state_matching import attach_states, matched_states, read_states
from finsent.encoder.load import load_base
from finsent.errors import BaseModelError, FinsentError
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe
from finsent.training.counterfactuals import turn_around
from tests import tiny, tiny_encoders

COUNT = 5  # ways


@pytest.fixture
def runs(tiny_release: Path, tmp_path: Path) -> Path:
    """A folder of runs with a copy of the teacher, beside which its answers are kept."""
    shutil.copytree(tiny_release, tmp_path / "runs" / "tiny" / "release")
    return tmp_path / "runs"


@pytest.fixture
def student(tiny_release: Path) -> Path:
    """The recipe of a student of one layer; it is beside that of its teacher, where the rows are."""
    path = tiny_release.parents[2] / "student.yaml"
    path.write_text(
        "extends: tiny.yaml\nname: student\nbase: {layers: [0]}\ndistillation: {teachers: [tiny.yaml]}\n",
        encoding="utf-8",
    )
    return path


def run(student: Path, runs: Path, *options: str) -> Any:
    given = ["--rows", "20", "--epochs", "1", "--runs", str(runs), "--page", str(runs / "page.md"), *options]
    return CliRunner().invoke(distillation.app, [str(student), *given])


def test_every_way_is_fitted_once_and_compared_with_labels_alone(
    student: Path, runs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    fitted, fit_way = [], distillation.fit_way

    def fit(way: Way, *rest: Any) -> Fitted:
        fitted.append(way.name)
        if len(fitted) == 3:
            raise KeyboardInterrupt
        if len(fitted) > COUNT + 1:  # the second seed: all is done, so what it answers does not matter
            return Fitted(steps=3, answers=[0] * 18)
        return fit_way(way, *rest)

    monkeypatch.setattr(distillation, "fit_way", fit)
    first = run(student, runs)
    assert first.exit_code == 1 and not (runs / "page.md").exists()
    assert "interrupted; run the same command again to continue" in first.stderr + capfd.readouterr().err
    again = run(student, runs)
    assert again.exit_code == 0, again.output
    names = [way.name for way in list_ways(load_recipe(student))]
    assert fitted == [*names[:3], *names[2:]] and len(names) == COUNT
    page = (runs / "page.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| ")][2:]
    told = [*names, "the teachers themselves"]
    assert [line.split(" | ")[0] for line in lines] == [f"| {one}" for one in told]
    assert lines[0].endswith("| | |") and all(" : " in line for line in lines[1:])
    assert "20 training rows and 3 steps of 8; number of training seeds: 1." in page
    assert "Left out" not in page
    left = {file.suffix for file in (runs / "distillation/student").iterdir()}
    assert left == {".json", ""}  # no checkpoints; the lock has no suffix
    with_one_more = run(student, runs, "--seeds", "2")
    assert with_one_more.exit_code == 0 and len(fitted) == 2 * COUNT + 1


def test_all_ways_have_the_same_number_of_steps(student: Path, runs: Path) -> None:
    recipe = load_recipe(student, runs)
    assert recipe.distillation is not None
    pairs = {"opposites": [("rose", "fell")], "augmentations": 3, "transfer": 5}
    more = recipe.model_copy(update={"distillation": recipe.distillation.model_copy(update=pairs)})
    rows = prepare(recipe, None, None, 1).splits.train
    texts = [row.text for row in rows]
    ways = list_ways(more)
    plans = [taught_by(way, more, rows, 5) for way in ways]
    taught = [plan.distillation for plan in plans if plan.distillation]
    assert len(ways) == COUNT + 1 == len(taught) + 1
    assert [one.augmentations for one in taught] == [0, 3, 0, 0, 0] and not any(
        one.transfer for one in taught
    )
    assert [bool(one.opposites) for one in taught] == [False] * 4 + [True]
    extra = [0, 0, 3 * len(texts), 0, 0, len(turn_around(texts, [("rose", "fell")], 5))]
    batches = [math.ceil((len(texts) + count) / 8) for count in extra]
    steps = [math.ceil(plan.training.epochs * count) for plan, count in zip(plans, batches, strict=True)]
    assert steps == [math.ceil(len(texts) / 8) * 8] * (COUNT + 1) and extra[-1] > 8
    assert {plan.training.evaluations for plan in plans} == {1}


def test_a_way_that_does_not_go_with_a_recipe_is_left_out_with_the_reason(
    student: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = load_recipe(student, runs)
    other = recipe.base.model_copy(update={"hidden_size": 16, "hub": "tests/other"})
    recipe = recipe.model_copy(update={"base": other})
    task = prepare(recipe, 20, 0.5, 1)
    found, left_out = run_ways(task, runs)
    assert len(found) == COUNT - 2
    assert [reason.partition(": ")[0] for reason in left_out] == [way.name for way in list_ways(recipe)][3:]
    assert "tiny comes from another base (hub) than student" in left_out[0]
    assert "a student's state of 16 values does not match that of its teacher, of 32" in left_out[1]
    page = render(task, found, left_out, np.zeros((1, len(task.splits.validation)), dtype=int))
    assert page.count("- Left out: soft labels, ") == 2

    def fail(*_: object) -> Fitted:
        raise BaseModelError("no such layer")

    monkeypatch.setattr(distillation, "fit_way", fail)
    with pytest.raises(BaseModelError, match="no such layer"):  # of the student itself
        run_ways(replace(task, seeds=[9]), runs)


def test_a_recipe_without_a_teacher_is_refused(tiny_recipe: Recipe) -> None:
    with pytest.raises(FinsentError, match=r"tiny has no teacher; name one in distillation\.teachers"):
        prepare(tiny_recipe, None, None, 1)


def test_other_rows_are_another_task(student: Path, runs: Path) -> None:
    recipe = load_recipe(student, runs)
    few, all_rows = prepare(recipe, 20, None, 1), prepare(recipe, None, None, 1)
    assert len(few.splits.train) == 20 < len(all_rows.splits.train)
    assert few.splits.train == prepare(recipe, 20, None, 1).splits.train

    def digests(task: Task) -> set[str]:
        ways = [*list_ways(recipe), Way("soft labels", states=0.5)]
        return {distillation.digest(way, taught_by(way, recipe, task.splits.train, 1), task) for way in ways}

    turned = replace(few, splits=replace(few.splits, validation=few.splits.validation[::-1]))
    assert len(digests(few) | digests(all_rows) | digests(turned)) == 3 * (COUNT + 1)


def test_a_t5_has_no_state_to_match(tiny_recipe: Recipe, tmp_path: Path) -> None:
    student, teacher = load_base(tiny_recipe, []), tiny_encoders.save_encoder(tmp_path / "t5", "t5")
    with (
        pytest.raises(BaseModelError, match="a T5 has no first token whose state stands for a text"),
        matched_states(student, teacher, ["profit rose"], tiny_recipe.training, 1.0),
    ):
        pass


def test_matched_states_pull_as_a_loss_beside_would(tiny_recipe: Recipe, teacher_release: Path) -> None:
    texts = [row["text"] for row in tiny.make_rows()[:5]]
    base = load_base(tiny_recipe, texts)
    model = base.model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    batch = base.tokenizer()(texts, padding=True, return_tensors="pt")
    theirs, labels = read_states(teacher_release, texts), torch.tensor([0, 1, 2, 0, 1])
    own = model.base_model(**batch)[0][:, 0]
    pulled = 0.5 * (1 - torch.cosine_similarity(own, theirs)).sum()
    (torch.nn.functional.cross_entropy(model(**batch).logits, labels) + pulled).backward()
    expected = {name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None}
    model.zero_grad()
    ids = [tuple(one) for one in base.tokenizer()(texts)["input_ids"]]
    hooks = attach_states(model, dict(zip(ids, theirs, strict=True)), 0.5)
    plain = model.eval()(**batch).logits
    logits = model.train()(**batch).logits
    assert torch.equal(logits, plain)
    torch.nn.functional.cross_entropy(logits, labels).backward()
    found = {name: one.grad for name, one in model.named_parameters() if one.grad is not None}
    assert found.keys() == expected.keys() and pulled > 0.1
    assert all(torch.allclose(found[name], expected[name], atol=1e-6) for name in found)
    for hook in hooks:
        hook.remove()
    assert not model._forward_hooks and not model.base_model._forward_hooks

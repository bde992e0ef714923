from __future__ import annotations

from dataclasses import replace

from finsent.data.splits import load_splits
from finsent.memory import peak_memory
from finsent.recipe.recipe import Distillation, Recipe
from finsent.training.estimate import estimate_training


def test_an_estimate_is_measured_steps_times_those_of_the_recipe(tiny_recipe: Recipe) -> None:
    found = estimate_training(tiny_recipe, load_splits(tiny_recipe))
    assert (found.steps, found.measured_steps) == (7 * 8, 3)  # 54 rows in batches of 8, 8 epochs
    assert found.steps * found.seconds_a_step < found.seconds < 60
    assert 10**8 < found.peak_memory_bytes <= peak_memory()


def test_fewer_rows_than_a_batch_are_one(tiny_recipe: Recipe) -> None:
    splits = load_splits(tiny_recipe)
    few = replace(splits, train=splits.train[:3], validation=splits.validation[:1])
    assert estimate_training(tiny_recipe, few).steps == 8


def test_what_teachers_alone_label_is_learnt_in_steps_too(tiny_recipe: Recipe) -> None:
    plan = Distillation(teachers=[tiny_recipe], augmentations=1, transfer=100)
    student = tiny_recipe.model_copy(update={"distillation": plan})
    steps = estimate_training(student, load_splits(tiny_recipe)).steps
    assert steps == 26 * 8  # 2 * 54 + 100 rows
    spliced = plan.model_copy(update={"splices": 1})
    student = tiny_recipe.model_copy(update={"distillation": spliced})
    assert estimate_training(student, load_splits(tiny_recipe)).steps == 33 * 8  # 54 more
    texts = [f"{'The loss fell' if n < 20 else 'Nothing new'} in week {n}" for n in range(54)]
    splits = load_splits(tiny_recipe)
    rows = [replace(row, text=text) for row, text in zip(splits.train, texts, strict=True)]
    turned = plan.model_copy(update={"opposites": [("rose", "fell")]})
    student = tiny_recipe.model_copy(update={"distillation": turned})
    assert estimate_training(student, replace(splits, train=rows)).steps == 29 * 8  # 20 more

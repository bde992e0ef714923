from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finsent.data.sources import Row
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe
from finsent.training.augmentation import vary
from finsent.training.targets import row_targets, training_rows, validation_rows
from finsent.training.teachers import ask_teachers
from tests import tiny

TEXTS = [row["text"] for row in tiny.make_rows()]


def row(label: str, share: float = 1.0) -> Row:
    return Row(f"a {label} text", label, "s", "train", share=share)


def test_a_target_is_the_annotators_share_and_the_rest_is_even() -> None:
    targets = row_targets([row("positive", 0.7), row("negative")], tiny.LABELS)
    assert targets == pytest.approx(np.array([[0.15, 0.15, 0.7], [1, 0, 0]]))


def test_validation_rows_are_certain_whatever_the_annotators_said() -> None:
    assert validation_rows([row("positive", 0.6)], tiny.LABELS)["label"][:] == [[0, 0, 1]]


def test_variants_are_labelled_by_the_teacher_alone(
    tiny_base: Path, teacher_release: Path, tmp_path: Path
) -> None:
    tiny.write_recipe(tmp_path, tiny_base)
    plan = {"teachers": ["tiny.yaml"], "weight": 0.5, "variants": 2}
    recipe = taught_recipe(tmp_path, tiny_base, plan)
    rows = [row("positive"), row("negative")]
    made = training_rows(recipe, rows, [teacher_release])
    assert made["text"][:2] == [one.text for one in rows]
    assert len(made["text"]) == 6
    taught = ask_teachers([teacher_release], list(made["text"]), tiny.LABELS, 1.0)
    assert np.array(made["label"][2:]) == pytest.approx(taught[2:])
    assert np.array(made["label"][:2]) == pytest.approx((taught[:2] + np.array([[0, 0, 1], [1, 0, 0]])) / 2)


def test_variants_are_repeatable_and_differ_from_their_texts() -> None:
    texts = ["one two three four five six seven eight nine ten eleven twelve"] * 40
    first, again = vary(texts, 2, seed=3), vary(texts, 2, seed=3)
    assert first == again != vary(texts, 2, seed=4)
    assert len(first) == 80
    assert sum(text != texts[0] for text in first) > 60
    assert {word for text in first for word in text.split()} <= set(texts[0].split())


def test_variants_drop_exchange_and_replace_words() -> None:
    whole = [str(number) for number in range(12)]
    varied = [text.split() for text in vary([" ".join(whole)] * 100, 1, seed=3)]
    dropped = 1 - sum(len(words) for words in varied) / (100 * len(whole))
    assert 0.04 < dropped < 0.12  # of eight in a hundred
    same_words = [words for words in varied if sorted(words) == sorted(whole)]
    assert any(words != whole for words in same_words)
    assert any(len(words) == len(whole) and len(set(words)) < len(words) for words in varied)


@pytest.mark.parametrize("text", ["", " ", "one", "🙂", "a" * 5000])
def test_no_text_is_lost_by_varying_it(text: str) -> None:
    assert vary([text], 20, seed=0) == [text] * 20


def taught_recipe(folder: Path, base: Path, plan: dict[str, object]) -> Recipe:
    path = tiny.write_recipe(folder, base)
    student = folder / "student.yaml"
    student.write_text(f"extends: {path.name}\nname: student\ndistillation: {plan!r}\n", encoding="utf-8")
    return load_recipe(student)

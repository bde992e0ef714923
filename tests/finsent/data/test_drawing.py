from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from finsent.data.drawing import Group, draw_splits
from finsent.data.splits import SPLITS, load_splits
from finsent.errors import DataError
from finsent.recipe.data import Data, Fold
from finsent.recipe.recipe import Recipe
from tests import tiny
from tests.finsent.data.test_splits import make_data

NONE = frozenset[str]()


def classes(labels: int, texts: int) -> dict[str, Group]:
    return {
        f"text {number} of {label}": Group(frozenset({f"class {label}"}), frozenset())
        for label in range(labels)
        for number in range(texts)
    }


def counts(groups: dict[str, Group], data: Data, seed: int) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for name, split in draw_splits(groups, data, seed).items():
        found.setdefault(next(iter(groups[name].labels)), Counter())[split] += 1
    return found


@pytest.mark.parametrize("seed", range(50))
def test_ten_classes_of_twenty_texts_split_at_any_seed(seed: int) -> None:
    found = counts(classes(10, 20), make_data(validation=0.1, test=0.15), seed)
    assert list(found.values()) == [{"test": 3, "validation": 2, "train": 15}] * 10


@pytest.mark.parametrize("texts", range(5, 30))
def test_from_five_texts_on_a_class_is_in_every_split(texts: int) -> None:
    found = counts(classes(2, texts), make_data(validation=0.02, test=0.05), seed=3)
    assert all(set(one) == set(SPLITS) for one in found.values())
    assert all(one["train"] > one["test"] for one in found.values())


def test_the_same_groups_are_drawn_alike_in_any_order_and_otherwise_with_another_seed() -> None:
    groups = classes(4, 30)
    data = make_data()
    assert draw_splits(groups, data, 1) == draw_splits(dict(reversed(groups.items())), data, 1)
    assert draw_splits(groups, data, 1) != draw_splits(groups, data, 2)


def test_a_group_of_several_labels_counts_for_the_rarest() -> None:
    both = frozenset({"class 0", "rare"})
    groups = classes(1, 500) | {f"tied {number}": Group(both, frozenset()) for number in range(10)}
    drawn = draw_splits(groups, make_data(validation=0.1, test=0.2), 1)
    assert Counter(drawn[name] for name in groups if "tied" in name) == {
        "test": 2,
        "validation": 1,
        "train": 7,
    }


def test_nothing_is_drawn_for_a_closed_split() -> None:
    groups = {name: Group(one.labels, frozenset({"test"})) for name, one in classes(3, 9).items()}
    assert set(draw_splits(groups, make_data(), 1).values()) == {"train", "validation"}


def test_the_folds_of_small_classes_test_each_group_once() -> None:
    groups = classes(5, 11)
    tested = [
        name
        for index in range(4)
        for name, split in draw_splits(groups, make_data(fold=Fold(index=index, of=4)), 1).items()
        if split == "test"
    ]
    assert sorted(tested) == sorted(groups)


def test_a_class_of_three_rows_is_an_error_that_names_it_and_the_ways_out(
    tiny_recipe: Recipe, tmp_path: Path
) -> None:
    source = tmp_path / "rows.csv"
    rows = tiny.make_rows()
    few = [one for one in rows if one["label"] == "neutral"][:3]
    tiny.write_csv(source, [one for one in rows if one["label"] != "neutral"] + few)
    told = r"label 'neutral' has too few rows: \d in train, \d in validation, \d in test\. Add rows with it; "
    with pytest.raises(DataError, match=rf"{told}.*`labels: {{neutral: null}}`.*map it to another"):
        load_splits(tiny_recipe)

from __future__ import annotations

import dataclasses

import pytest

from finsent.data.inspection import Inspection, count_leaks, find_look_alikes, inspect_splits
from finsent.data.splits import Splits, load_splits
from finsent.data.telling import tell, tell_briefly
from finsent.encoder.reading import read_base
from finsent.recipe.recipe import Recipe
from tests.finsent.data.test_splits import row


def with_labels(recipe: Recipe, labels: dict[str, str]) -> Recipe:
    source = recipe.data.sources[0].model_copy(update={"labels": labels})
    data = recipe.data.model_copy(update={"sources": [source]})
    return recipe.model_copy(update={"data": data, "labels": sorted(set(labels.values()))})


def inspect(recipe: Recipe, splits: Splits) -> Inspection:
    return inspect_splits(recipe, splits, read_base(recipe, None).measure)


def test_rows_are_counted_by_split_and_class(tiny_recipe: Recipe) -> None:
    found = inspect(tiny_recipe, load_splits(tiny_recipe))
    assert found.rows["train"] == {"negative": 18, "neutral": 18, "positive": 18}
    assert (found.sampled, found.leaked, found.imbalance, found.dropped) == (90, 0, 1.0, {})
    assert found.cautions == [
        "The test split has 18 rows: too few to tell a good release from a mediocre one."
    ]
    assert found.tokens.median < found.tokens.most < found.tokens.bound == 128


def test_what_is_dropped_is_told_with_examples(tiny_recipe: Recipe) -> None:
    splits = load_splits(tiny_recipe)
    report = dataclasses.replace(splits.report, duplicates=2, conflicting=0, left_out={"too long": 1234})
    splits = dataclasses.replace(splits, report=report, examples={"a copy of another row": ["Up\n up!"]})
    found = inspect(tiny_recipe, splits)
    assert found.dropped == {"too long": 1234, "a copy of another row": 2}
    assert "in no split: a copy of another row: rows 2, for example Up up!" in tell(found)
    assert "  in no split: 1,234 too long, 2 a copy of another row" in tell_briefly(found)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"Spam": "spam", "spam ": "junk", "ham": "ham"}, [["Spam", "spam", "spam "]]),
        ({"Spam": "spam", "spam ": "spam", "ham": "ham"}, []),
        ({"C": "c", "C++": "cpp"}, [["C", "C++", "c"]]),
        ({"+": "plus", "-": "minus"}, []),
        ({"कि": "a", "की": "b"}, []),
    ],
)
def test_labels_that_look_alike_are_named(
    labels: dict[str, str], told: list[list[str]], tiny_recipe: Recipe
) -> None:
    assert find_look_alikes(with_labels(tiny_recipe, labels)) == told


def test_a_text_in_two_splits_is_a_leak(tiny_recipe: Recipe) -> None:
    splits = load_splits(tiny_recipe)
    leaking = dataclasses.replace(splits, train=[*splits.train, row(f"{splits.test[0].text}!")])
    assert (count_leaks(splits), count_leaks(leaking)) == (0, 1)
    both = dataclasses.replace(
        leaking, validation=[*splits.validation, splits.test[0], splits.test[1], row("!")]
    )
    assert count_leaks(both) == 2  # whatever number of splits a text is in, and "!" has nothing to compare
    again = dataclasses.replace(splits, test=[*splits.test, *splits.test, row("?")])
    assert count_leaks(again) == 0


def test_cautions_name_what_is_unusual(tiny_recipe: Recipe) -> None:
    splits = load_splits(tiny_recipe)
    labels = splits.report.labels | {"train": {"negative": 400, "neutral": 10, "positive": 9}}
    labels["test"] = {"negative": 200, "positive": 200}
    splits = dataclasses.replace(
        splits,
        train=[row("😀 😡 " * 5), row("profit " * 40)],
        report=dataclasses.replace(splits.report, labels=labels),
    )
    cautions = "\n".join(inspect(tiny_recipe, splits).cautions)
    assert "No test row has the label 'neutral'" in cautions
    assert "of the words are unknown to the tokenizer" in cautions and "Symbols and emoji 100.0 %" in cautions
    assert "of the texts are cut after 116 characters" in cautions
    assert "'positive' has 9 training rows, the most frequent 400" in cautions


def test_a_large_set_is_read_in_part(tiny_recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finsent.data.inspection.SAMPLE", 20)
    splits = load_splits(tiny_recipe)
    first, again = (inspect(tiny_recipe, splits) for _ in range(2))
    assert first.sampled == 20 and first == again

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest

from finsent.data.rows import Row, SourceRows
from finsent.data.splits import SPLITS, Splits, _describe_groups, fingerprint, load_splits, split_rows
from finsent.errors import DataError
from finsent.recipe.data import Data, Fold, SplitName
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe
from finsent.text import comparable
from tests import tiny


def make_data(**changes: object) -> Data:
    source = tiny.recipe_tree(Path(), Path())["data"]["sources"][0]
    second = source | {"name": "fixed", "files": {"train": ["a.csv"], "test": ["b.csv"]}}
    return Data.model_validate({"sources": [source, second], "validation": 0.2, "test": 0.2, **changes})


def split(rows: list[Row], data: Data | None = None, seed: int = 1) -> Splits:
    by_source = {
        name: SourceRows([row for row in rows if row.source == name], {}) for name in ("rows", "fixed")
    }
    return split_rows(by_source, data or make_data(), seed)


def row(
    text: str, label: str = "neutral", source: str = "rows", split: SplitName = "train", **more: str
) -> Row:
    return Row(text, label, source, split, **more)


def many(count: int = 300) -> list[Row]:
    draw = random.Random(0)
    return [row(" ".join(draw.choices(tiny.WORDS, k=9)) + f" {number}") for number in range(count)]


def test_no_text_of_test_stands_in_training() -> None:
    rows = many() + [dataclasses.replace(one, text=f"{one.text.upper()}! https://t.co/x") for one in many()]
    splits = split(rows)
    seen = [{comparable(one.text) for one in splits[name]} for name in SPLITS]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])
    assert splits.report.duplicates == 300
    assert sum(map(len, seen)) == 300


def test_conflicting_labels_drop_every_copy() -> None:
    splits = split([row("Profit up", "positive"), row("profit UP.", "negative"), *many(20)])
    assert splits.report.conflicting == 2
    assert all("profit up" not in comparable(one.text) for name in SPLITS for one in splits[name])


def test_a_test_file_keeps_its_row_and_training_loses_the_copy() -> None:
    splits = split(
        [row("Profit up at Arvo", source="fixed"), row("Profit up at Arvo!", source="fixed", split="test")]
    )
    assert [one.text for one in splits.test] == ["Profit up at Arvo!"]
    assert splits.train == []


def test_near_duplicates_and_groups_stay_on_one_side() -> None:
    near = [
        f"The board of Belmi proposes a dividend of EUR 0.{cents} a share for last year"
        for cents in range(10, 60)
    ]
    grouped = [
        row(f"{word} stands alone in its words", group=f"g{index // 2}") for index, word in enumerate(near)
    ]
    splits = split([row(text) for text in near] + many())
    sides = {name for name in SPLITS for one in splits[name] if "Belmi" in one.text}
    assert len(sides) == 1
    paired = split(grouped, make_data(near_duplicates=1.0))
    side = {one.group: name for name in SPLITS for one in paired[name]}
    assert all(side[one.group] == name for name in SPLITS for one in paired[name])
    assert len(set(side.values())) > 1


@pytest.mark.parametrize("order", [("rows", "fixed"), ("fixed", "rows")])
def test_a_group_of_two_sources_stays_on_one_side_whatever_files_one_of_them_brings(
    order: tuple[str, str],
) -> None:
    pairs = [(one.text, f"{one.text} again") for one in many(200)]
    texts = {"rows": [left for left, _ in pairs], "fixed": [right for _, right in pairs]}
    sources = {name: SourceRows([row(text, source=name) for text in texts[name]], {}) for name in order}
    splits = split_rows(sources, make_data(near_duplicates=0.6), seed=1)
    side = {one.text: name for name in SPLITS for one in splits[name]}
    assert len(side) == 400
    assert [pair for pair in pairs if side[pair[0]] != side[pair[1]]] == []
    assert set(side.values()) == {"train", "validation"}  # for the test, one of them brings a file


def test_a_million_groups_are_told_by_a_few_objects() -> None:
    rows = [row(f"text {number}", tiny.LABELS[number % 3]) for number in range(3000)]
    names = [one.text for one in rows]
    groups = _describe_groups(rows, names, {names[0]: "test"}, make_data())
    assert len(groups) == 2999 and names[0] not in groups
    assert len({id(group) for group in groups.values()}) == 3


def test_groups_of_several_rows_are_counted() -> None:
    rows = [row(f"{word} alone", group=name) for word, name in zip("abcdef", "xxxyyz", strict=True)]
    assert split(rows, make_data(near_duplicates=1.0)).report.near_duplicate_groups == 2


def test_a_training_row_near_a_test_row_is_dropped_and_counted() -> None:
    text = "Quarterly sales of Cando rose by a tenth to EUR 41 million on strong orders"
    splits = split([row(text + "."), row(text + " again", source="fixed", split="test")])
    assert (len(splits.train), len(splits.test), splits.report.tied_to_held_out) == (0, 1, 1)


def test_a_row_never_changes_sides_because_others_came() -> None:
    few, more = split(many(200)), split(many(300))
    where = {one.text: name for name in SPLITS for one in more[name]}
    assert all(where[one.text] == name for name in SPLITS for one in few[name])


def test_shares_are_about_what_the_recipe_says_and_follow_the_seed() -> None:
    first, again, other = split(many(1000)), split(many(1000)), split(many(1000), seed=2)
    assert first == again
    assert first.report.fingerprints != other.report.fingerprints
    assert abs(len(first.test) - 200) < 40
    assert abs(len(first.validation) - 200) < 40


def test_the_fingerprint_is_of_the_content_not_the_order() -> None:
    rows = many(10)
    assert fingerprint(rows) == fingerprint(rows[::-1])
    assert fingerprint(rows) != fingerprint([dataclasses.replace(rows[0], label="positive"), *rows[1:]])
    assert len(fingerprint([row("\ud800")])) == 64  # a lone surrogate has one too


def test_a_split_without_a_label_is_an_error(tiny_recipe: Recipe) -> None:
    source = Path(str(tiny_recipe.home)) / "rows.csv"
    tiny.write_csv(source, [one for one in tiny.make_rows() if one["label"] != "neutral"])
    with pytest.raises(
        DataError, match=r"label 'neutral' has too few rows: 0 in train.*Add.*neutral: null.*map it"
    ):
        load_splits(tiny_recipe)


def test_a_test_file_may_lack_a_label_and_a_drawn_split_may_not(tmp_path: Path, tiny_base: Path) -> None:
    tree = tiny.recipe_tree(tmp_path, tiny_base)["data"]
    tree["sources"][0]["files"] = {"train": ["rows.csv"], "test": ["test.csv"]}
    recipe = load_recipe(tiny.write_recipe(tmp_path, tiny_base, data=tree))
    held_out = [{**one, "text": f"Gamma {one['text']}"} for one in tiny.make_rows()]
    tiny.write_csv(tmp_path / "test.csv", [one for one in held_out if one["label"] != "neutral"])
    assert set(load_splits(recipe).report.labels["test"]) == {"negative", "positive"}
    fold = recipe.data.model_copy(update={"fold": Fold(index=0, of=2), "validation": 0.0})
    with pytest.raises(DataError, match=r"validation: no rows; raise data\.validation"):
        load_splits(recipe.model_copy(update={"data": fold}))

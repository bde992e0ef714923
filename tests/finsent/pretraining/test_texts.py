from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from finsent.data.splits import load_splits
from finsent.errors import DataError, RecipeError
from finsent.pretraining import protection
from finsent.pretraining.protection import (
    check_protected,
    clear_texts,
    collect_rows,
    identify_row,
    identify_rows,
    read_protected,
    write_protected,
)
from finsent.pretraining.texts import drop_copies, drop_near_copies, hold_out, prepare_texts
from finsent.recipe.file import load_recipe
from finsent.release import EncoderRun
from tests import tiny
from tests.finsent.pretraining import samples

ROW = "Operating profit of Havnby Marine rose to EUR 8.1 million from EUR 5.4 million a year earlier."
BEFORE, AFTER = "Shipping had a good year.", "Analysts had waited for that."


def clear(*texts: str, words: int = 8) -> list[str]:
    return clear_texts(list(texts), [ROW, "Up"], 0.7, words).texts


def test_a_sentence_that_is_a_row_goes_and_the_article_stays() -> None:
    assert clear(f"{BEFORE} {ROW} {AFTER}") == [f"{BEFORE} {AFTER}"]
    assert clear(f"{BEFORE}\n{ROW.upper()}\n\n{AFTER}") == [f"{BEFORE} {AFTER}"]


def test_a_sentence_that_is_nearly_a_row_goes() -> None:
    assert clear(ROW.replace("8.1", "8.2"), AFTER) == ["", AFTER]


def test_so_many_words_in_a_row_are_near_wherever_they_stand() -> None:
    longer = f"{'And so it was said, as ever, in the halls of the port, that ' * 3}{ROW} It was."
    quoted = (
        "He said that Havnby Marine rose to EUR 8.1 million from more, and then spoke of other things too"
    )
    assert clear(longer) == ["It was."]
    assert clear(quoted) == [""]
    assert clear(quoted, words=30) == [quoted]


@pytest.mark.parametrize(
    "row",
    [
        "Apple Inc. to buy Beats Inc. for $3 bn",
        "Profit fell. Sales rose. Outlook cut.",
        "Profit fell.\nSales rose.",
        "Belmi Corp. said that its U.S. business would be sold. It gave no price. Shares of Belmi rose.",
    ],
)
def test_rows_of_several_sentences_or_lines_are_found_whole(row: str) -> None:
    found = clear_texts([f"{BEFORE} {row.rstrip('.')}. {AFTER}", row.replace("\n", " ")], [row], 0.7, 8)
    assert found.texts == [f"{BEFORE} {AFTER}", ""]


def test_words_in_a_row_count_over_the_end_of_a_sentence() -> None:
    row = "Belmi Corp. said on Monday that sales of bread were up"
    quoted = "It was Belmi Corp. said on Monday that sales of cake fell. All was well."
    assert clear_texts([quoted], [row], 0.7, 8).texts == ["All was well."]
    assert clear_texts([quoted], [row], 0.7, 9).texts == [quoted]


def test_three_words_are_said_by_chance() -> None:
    texts = ["He said that profit rose again in the north.", "Sales fell and profit rose again, he said."]
    assert clear_texts(texts, ["Profit rose again"], 0.7, 8).texts == texts
    assert clear_texts(texts, ["and profit rose again"], 0.7, 8).texts == [texts[0], ""]


def test_without_rows_nothing_but_spaces_changes() -> None:
    found = clear_texts(["A  b.\n c", ROW], [], 0.7, 8)
    assert found.texts == ["A b. c", ROW] and found.sentences_taken_out == found.texts_touched == 0


def test_copies_and_texts_that_begin_alike_are_read_once() -> None:
    assert drop_copies(["Up, well!", "up well", "Down", "—", "—"]) == ["Up, well!", "Down", "—"]
    long = "The committee met on Tuesday and talked about prices of bread in the north of the country. " * 30
    assert drop_near_copies([long + "a", "Another one entirely", long + "b " * 99], 0.7) == [
        long + "a",
        "Another one entirely",
    ]


def test_texts_are_held_out_by_the_seed() -> None:
    texts = [str(number) for number in range(50)]
    learnt, held_out = hold_out(texts, 0.1, seed=3)
    assert len(held_out) == 5 and sorted(learnt + held_out) == sorted(texts)
    assert (learnt, held_out) == hold_out(texts, 0.1, seed=3) != hold_out(texts, 0.1, seed=4)
    with pytest.raises(DataError, match="1 texts are left, of which 1 would be held out"):
        hold_out(["one"], 0.1, seed=3)


@pytest.mark.parametrize("rows", ["held_out", "all"])
def test_rows_of_a_recipe_are_protected_and_told(tmp_path: Path, tiny_base: Path, rows: str) -> None:
    classifier = load_recipe(tiny.write_recipe(tmp_path, tiny_base))
    splits = load_splits(classifier)
    quoted = [splits.train[0].text, splits.validation[0].text, splits.test[0].text]
    recipe = samples.load(
        tmp_path,
        tiny_base,
        data=samples.pretraining_tree(tiny_base)["data"]
        | {"protect": {"recipes": ["tiny.yaml"], "rows": rows}},
    )
    with (tmp_path / "news.txt").open("a", encoding="utf-8") as file:
        file.write("".join(f"\nSo it was written: as follows. {text}. And more." for text in quoted))
    found = prepare_texts(recipe, None)
    every = "\n".join(found.learnt + found.held_out)
    assert [text in every for text in quoted] == [rows == "held_out", False, False]
    assert found.figures.protection is not None
    assert found.figures.protection.rows == {"held_out": 36, "all": 90}[rows]
    assert found.figures.protection.sentences_taken_out == {"held_out": 2, "all": 3}[rows]
    assert "And more." in every


def test_an_encoder_that_may_know_a_row_is_refused(tmp_path: Path, tiny_base: Path) -> None:
    samples.write_pretraining(tmp_path, tiny_base)
    tree = {"base": {"recipe": "tiny-encoder.yaml"}}
    recipe = load_recipe(tiny.write_recipe(tmp_path, tiny_base, **tree), tmp_path / "runs")
    folder = EncoderRun(recipe.runs / "tiny-encoder").encoder
    folder.mkdir(parents=True)
    splits = load_splits(recipe)
    held_out = [row.text for row in (*splits.validation, *splits.test)]
    write_protected(held_out, folder)
    check_protected(recipe, splits)
    write_protected(held_out[1:], folder)
    with pytest.raises(DataError, match="without protecting 1 of 36 validation and test rows of tiny"):
        check_protected(recipe, splits)


def test_an_encoder_that_is_named_by_its_folder_is_checked_too(
    tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "encoder").symlink_to(tiny_base)
    tree = {"path": "encoder", "hub": "tests/tiny", "licence": "mit"}
    recipe = load_recipe(tiny.write_recipe(tmp_path, tiny_base, base=tree))
    splits = load_splits(recipe)
    check_protected(recipe, splits)  # finsent did not make it
    known = identify_rows([row.text for row in (*splits.validation, *splits.test)])
    monkeypatch.setattr(protection, "read_protected", lambda folder: known - {min(known)})
    with pytest.raises(DataError, match=r"^base\.path: encoder was pretrained without protecting 1 of 36"):
        check_protected(recipe, splits)
    monkeypatch.setattr(protection, "read_protected", lambda folder: known)
    told = SimpleNamespace(licence="cc-by-nc-4.0")
    monkeypatch.setattr(protection, "read_report", lambda folder: told)
    with pytest.raises(RecipeError, match="got 'mit', but the encoder in encoder carries 'cc-"):
        check_protected(recipe, splits)
    told.licence = "mit"
    check_protected(recipe, splits)


def test_what_an_encoder_learnt_before_is_protected_no_more(tmp_path: Path) -> None:
    write_protected(["one", "two"], tmp_path, identify_rows(["two", "three"]))
    assert read_protected(tmp_path) == identify_rows(["two"])
    assert read_protected(tmp_path / "elsewhere") is None


def test_other_protected_rows_are_another_pretraining(tmp_path: Path, tiny_base: Path) -> None:
    tiny.write_recipe(tmp_path, tiny_base)
    data = samples.pretraining_tree(tiny_base)["data"] | {"protect": {"recipes": ["tiny.yaml"]}}
    found = prepare_texts(samples.load(tmp_path, tiny_base, data=data), None)
    more = replace(found, rows=[*found.rows, "Belmi fell"])
    assert more.digest() != found.digest() == replace(found, rows=found.rows[::-1]).digest()


def test_a_row_is_known_by_its_letters_and_not_told(tmp_path: Path) -> None:
    assert identify_row("Up, 5 %!") == identify_row("up 5") != identify_row("up 6")
    write_protected(["Up, 5 %!", "up 5", "—"], tmp_path)
    told = (tmp_path / "protected.txt").read_text(encoding="utf-8")
    assert len(told.split()) == 2 and "up" not in told


def test_training_rows_that_conflict_count_as_held_out(tmp_path: Path, tiny_base: Path) -> None:
    tiny.write_recipe(tmp_path, tiny_base)
    with (tmp_path / "rows.csv").open("a", encoding="utf-8") as file:
        file.write("All is well :),positive,e,\nAll is well :(,negative,e,\n")
    data = samples.pretraining_tree(tiny_base)["data"] | {"protect": {"recipes": ["tiny.yaml"]}}
    protect = samples.load(tmp_path, tiny_base, data=data).data.protect
    assert protect is not None
    assert {"All is well :)", "All is well :("} <= set(collect_rows(protect, None))

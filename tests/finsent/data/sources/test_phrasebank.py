from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from finsent.data.sources.phrasebank import mend_letters
from finsent.errors import DataError
from finsent.recipe.data import Source
from tests.finsent.data.sources.samples import make_source, read


def write_phrasebank(folder: Path, levels: dict[str, list[str]]) -> None:
    with zipfile.ZipFile(folder / "bank.zip", "w") as archive:
        for level, lines in levels.items():
            data = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
            archive.writestr(f"FinancialPhraseBank-v1.0/Sentences_{level}Agree.txt", data)


def phrasebank(folder: Path) -> Source:
    files = {"train": ["bank.zip"]}
    return make_source(folder, "phrasebank", files=files, labels={"up": "positive", "down": "negative"})


def test_the_phrasebank_gives_agreement_and_mends_letters(tmp_path: Path) -> None:
    sure, unsure = "Sepp+ñl+ñ mail: a@b gained@up", "Orders sank@down"
    write_phrasebank(tmp_path, {"50": [sure, unsure], "66": [sure], "75": [sure], "All": [sure]})
    rows = read(phrasebank(tmp_path))
    assert [(row.text, row.label, row.slice) for row in rows] == [
        ("Seppälä mail: a@b gained", "positive", "agreement_all"),
        ("Orders sank", "negative", "agreement_50"),
    ]


def test_the_share_of_annotators_comes_from_the_recipe(tmp_path: Path) -> None:
    sure, unsure = "Sales rose@up", "Sales were seen@up"
    write_phrasebank(tmp_path, {"50": [sure, unsure], "66": [sure], "75": [sure], "All": [sure]})
    source = phrasebank(tmp_path).model_copy(update={"label_probabilities": {"50": 0.6}})
    assert [row.label_probability for row in read(source)] == [1.0, 0.6]


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({"50": ["no label here"], "66": [], "75": [], "All": []}, "row 1: no '@label'"),
        ({"50": []}, "Sentences_66"),
    ],
)
def test_a_broken_phrasebank_is_named(tmp_path: Path, levels: dict[str, list[str]], message: str) -> None:
    write_phrasebank(tmp_path, levels)
    with pytest.raises(DataError, match=message):
        read(phrasebank(tmp_path))


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("Sepp+ñl+ñ", "Seppälä"),
        ("EUR 5-7 mn", "EUR 5-7 mn"),
        ("a +20 % rise", "a +20 % rise"),
        ("x +€", "x +€"),
    ],
)
def test_letters_are_mended_and_signs_stay(broken: str, mended: str) -> None:
    assert mend_letters(broken) == mended

"""Like texts are found, all of them, within the headlines and against third-party sets."""

from __future__ import annotations

import random
import re
import zipfile
from pathlib import Path

import pytest

from data.headlines.check import check_overlap
from data.headlines.corpus import Headline
from data.headlines.likeness import find_alike, grams


def make_row(number: int, text: str, label: str, split: str = "train") -> Headline:
    file = f"{split}.csv"
    return Headline(f"h{number:04d}", text, label, "earnings", "headline", "", split, file, number + 2)


def test_the_search_for_like_texts_misses_none() -> None:
    draw = random.Random(1)
    texts = ["".join(draw.choices("ab", k=draw.randint(8, 20))) for _ in range(150)]
    sets = [grams(text) for text in texts]
    alike = {
        (a, b): len(sets[a] & sets[b]) / len(sets[a] | sets[b]) for a in range(len(sets)) for b in range(a)
    }
    expected = {pair: value for pair, value in alike.items() if value > 0.3}
    assert len(expected) > 10
    assert {(one.left, one.right): one.similarity for one in find_alike(texts, None, 0.3)} == expected


def make_mirror(folder: Path, text: str) -> Path:
    (folder / "datasets/a/b").mkdir(parents=True)
    (folder / "datasets/a/b/rows.csv").write_text(f'text,label\n"{text}",2\n', encoding="utf-8")
    return folder


FOREIGN = "Turnover of the timber merchant rose by a tenth to FIM 31 mn"


def test_overlap_with_a_table_is_found(tmp_path: Path) -> None:
    rows = [make_row(0, "Rate cut or not, nobody in Oslo knows", "neutral"), make_row(1, FOREIGN, "positive")]
    found, texts = check_overlap(rows, make_mirror(tmp_path, FOREIGN.replace("31", "33")), 0.6)
    assert texts == 1
    assert re.match(
        r"train\.csv:3: 0\.\d\d alike to a third-party text, 'Turnover .*'; rewrite", str(found[0])
    )
    assert check_overlap(rows[:1], tmp_path, 0.6)[0] == []


def test_overlap_with_lines_of_a_zip_is_found(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    with zipfile.ZipFile(tmp_path / "datasets/bank.zip", "w") as archive:
        archive.writestr("v1/Sentences.txt", f"{FOREIGN}@positive\r\nThe board meets in Turku .@neutral\r\n")
        archive.writestr("__MACOSX/v1/Sentences.txt", "not a text of the set")
    found, texts = check_overlap([make_row(0, FOREIGN.upper(), "positive")], tmp_path, 0.6)
    assert texts == 2 and "1.00 alike" in str(found[0])


def test_an_empty_mirror_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="FINSENT_MIRROR: no text in"):
        check_overlap([], tmp_path, 0.6)

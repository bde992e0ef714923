from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from finsent.data.sources.fetch import Places
from finsent.data.sources.texts import Texts, letter_share, read_texts
from finsent.errors import DataError
from finsent.recipe.data import TextSource


def source(folder: Path, **changes: object) -> TextSource:
    tree = {"name": "news", "title": "News", "licence": "cc0-1.0", "path": str(folder), "files": ["*.txt"]}
    return TextSource.model_validate(tree | changes)


def texts(folder: Path, **changes: object) -> Texts:
    return read_texts(source(folder, **changes), Places(), seed=1)


def test_every_line_of_a_text_file_is_a_text(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text('Down, "low"\n', encoding="utf-8")
    (tmp_path / "a.txt").write_text("\ufeffUp\twell\n\n  \nFlat", encoding="utf-8")
    assert texts(tmp_path) == Texts(["Up\twell", "Flat", 'Down, "low"'], {})


def test_filters_say_what_they_left_out(tmp_path: Path) -> None:
    lines = ["Up", "A sentence of a good length.", "x" * 99, "== 1 == 2 == 3 == 4 ==", "लाभ बढ़ा और बढ़ता रहा"]
    (tmp_path / "a.txt").write_text("\n".join(lines), encoding="utf-8")
    found = texts(tmp_path, min_characters=10, max_characters=50, min_letters=0.7)
    assert found.texts == [lines[1], lines[4]]
    assert found.left_out == {
        "shorter than min_characters": 1,
        "longer than max_characters": 1,
        "fewer letters and digits than min_letters": 1,
    }


def test_texts_that_are_mostly_figures_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("12 34 56 up\nUp by 5 points\nUp", encoding="utf-8")
    assert texts(tmp_path).texts == ["12 34 56 up", "Up by 5 points", "Up"]
    found = texts(tmp_path, max_digits=0.3)
    assert found.texts == ["Up by 5 points", "Up"] and found.left_out == {"more digits than max_digits": 1}


@pytest.mark.parametrize(
    ("text", "share"),
    [("ab 12", 1.0), ("a.b.", 0.5), ("— —", 0.0), (" ", 0.0), ("हिन्दी", 1.0), ("한국어!", 0.75)],
)
def test_letters_digits_and_their_marks_count(text: str, share: float) -> None:
    assert letter_share(text) == share


def test_lines_that_stand_everywhere_are_taken_out(tmp_path: Path) -> None:
    import pandas

    bodies = [f"Article {number}\nSubscribe now \n" for number in range(5)] + ["Subscribe now", "Alone"]
    pandas.DataFrame({"body": bodies}).to_parquet(tmp_path / "a.parquet")
    found = texts(tmp_path, files=["a.parquet"], text="body", max_repeats=3)
    assert found.texts == [*(f"Article {number}" for number in range(5)), "Alone"]
    assert found.left_out == {"only repeated lines": 1} and found.repeated_lines == 1
    assert found.examples == {"only repeated lines": ["Subscribe now"]}


def test_texts_are_cut_into_sentences_by_the_rules_of_a_language(tmp_path: Path) -> None:
    news = ["Arvo Inc. sold 3.4 ships to the U.S. navy. Mr. Belmi left! ", "A line without an end"]
    (tmp_path / "a.txt").write_text("\n".join(news), encoding="utf-8")
    found = texts(tmp_path, sentences="en", min_characters=12)
    assert found.texts == ["Arvo Inc. sold 3.4 ships to the U.S. navy.", "Mr. Belmi left!", news[1]]
    assert texts(tmp_path).texts == news
    with pytest.raises(ValidationError, match="sentences"):
        source(tmp_path, sentences="English")


def test_columns_are_chosen_and_filtered_as_in_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("body,language\nUp,en\nHoch,de\n,en\nDown,en\n", encoding="utf-8")
    found = texts(tmp_path, files=["a.csv"], text="body", where={"language": ["en"]}, take=1)
    assert len(found.texts) == 1 and found.texts[0] in ("Up", "Down")
    assert found.left_out == {
        "where: language is another": 1,
        "empty": 1,
        "not among the 1 drawn rows": 1,
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"where": {"language": ["en"]}}, "a.txt: lines have no column 'language'"),
        ({"quoting": "none"}, "a.txt: the source's key `quoting` does not apply to .txt"),
        ({"min_characters": 99}, "news: none of 1 texts is left; left out"),
        ({"files": ["b.txt"]}, "b.txt does not exist"),
    ],
)
def test_what_gives_no_texts_is_refused(changes: dict[str, object], message: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Up\n", encoding="utf-8")
    with pytest.raises(DataError, match=message):
        texts(tmp_path, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"splits": ["train"]}, "exactly one of files and splits"),
        ({"files": []}, "exactly one of files and splits"),
        ({"min_characters": 9, "max_characters": 8}, "max_characters: 8 is below"),
        ({"labels": {"a": "b"}}, "labels"),
    ],
)
def test_keys_that_do_not_fit_are_refused(changes: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=message):
        source(tmp_path, **changes)

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from matplotlib.font_manager import fontManager

from model_card.card import fonts
from model_card.card.figures import draw_confusion
from tests.model_card.samples import make_scores

KOREAN = ["좋음", "나쁨", "neither"]


@pytest.fixture
def only_dejavu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine with no font but those that come with matplotlib."""
    ours = [one for one in fontManager.ttflist if one.name == fonts.FIRST and "mpl-data" in one.fname]
    monkeypatch.setattr(fontManager, "ttflist", ours)
    monkeypatch.setattr(fonts, "findSystemFonts", list)


@pytest.mark.usefixtures("only_dejavu")
def test_what_no_font_has_is_said_once_and_drawn_as_a_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fonts.choose_fonts(["ham", "доставка", "≥ 5 €"]).missing == frozenset()
    assert capsys.readouterr().err == ""
    figure = draw_confusion(relabelled(KOREAN), "model.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of every box that it draws
        figure.savefig(tmp_path / "figure.png")
    assert capsys.readouterr().err.count("no installed font has") == 1
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["label 0", "label 1", "neither"]


def test_a_font_that_has_the_letters_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    other = "DejaVu Serif"
    usual = [one for one in fontManager.ttflist if (one.style, one.weight) == ("normal", 400)]
    first, second = (next(one for one in usual if one.name == name) for name in (fonts.FIRST, other))
    letters = {first.fname: frozenset(map(ord, "ham"))}
    monkeypatch.setattr(fonts, "_read_letters", lambda path: letters.get(path, frozenset(map(ord, "ж"))))
    monkeypatch.setattr(fontManager, "ttflist", [second, first])
    found = fonts.choose_fonts(["ham", "ж"])
    assert (found.families, found.missing) == ([fonts.FIRST, other], frozenset())
    assert fonts.choose_fonts(["ham"]).families == [fonts.FIRST]


def test_letters_of_a_second_file_of_the_same_name_are_not_counted_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = next(one for one in fontManager.ttflist if one.fname == fontManager.findfont(fonts.FIRST))
    second = replace(drawn, fname=f"{drawn.fname}.newer")
    letters = {drawn.fname: frozenset(map(ord, "ham")), second.fname: frozenset(map(ord, "ham🙃"))}
    monkeypatch.setattr(fonts, "_read_letters", letters.__getitem__)
    monkeypatch.setattr(fontManager, "ttflist", [drawn, second])
    monkeypatch.setattr(fonts, "findSystemFonts", list)
    assert fonts.choose_fonts(["ham🙃"]).missing == {"🙃"}
    assert "no installed font has 🙃" in capsys.readouterr().err


@pytest.mark.parametrize("count", [2, 12, 40])
def test_a_matrix_of_many_labels_stays_a_picture(count: int) -> None:
    names = [f"a label of some length {number}" for number in range(count)]
    figure = draw_confusion(relabelled(names), "model.onnx")
    assert max(figure.get_size_inches()) <= 15
    written = [text.get_text() for text in figure.axes[0].texts]
    assert ("0\n0.0 %" in written) == (count == 2) and bool(written) == (count < 40)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].get_yticklabels()]
    assert not any(upper.y0 < lower.y1 - 0.5 for upper, lower in pairwise(boxes))


def relabelled(names: list[str]) -> object:
    """Return scores with as many labels as there are names."""
    scores = make_scores(3, 60, 2.0)
    one = next(iter(scores.per_class.values()))
    confusion = [[row * column % 7 for column in range(len(names))] for row in range(len(names))]
    changes = {"per_class": dict.fromkeys(names, one), "confusion": confusion}
    return type(scores)(**{**vars(scores), **changes})

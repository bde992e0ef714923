from __future__ import annotations

import re

import markup
from marks import make_marks
from model import NO_FIGURES, Doubt, Model
from one import show_words
from result_pages import Line, Page

from inference.classifier import Prediction
from inference.explain import Explanation, Word
from tests.space.tags import HOSTILE, parse


def test_text_of_users_is_never_html(model: Model) -> None:
    line = Line(1, HOSTILE, model.labels[0], 0.5, [0.5, 0.3, 0.2], True, None)
    bad = Line(2, HOSTILE, None, None, [None] * 3, False, HOSTILE)
    scores = {HOSTILE: 0.7, "other": 0.3}
    marks = make_marks(list(scores), {})
    shown = [
        markup.message(HOSTILE, "error"),
        markup.answer(Prediction(HOSTILE, 0.7, scores), marks, NO_FIGURES, 1.0, HOSTILE),
        markup.words(Explanation(HOSTILE, [Word(HOSTILE, 0.4), Word(HOSTILE, None)])),
        markup.page_table(Page([line, bad], 1, 1, 2), model.marks),
        markup.rows_table([HOSTILE], [[HOSTILE, HOSTILE]], HOSTILE),
        markup.bullets(HOSTILE, [HOSTILE]),
    ]
    for html in shown:
        assert HOSTILE in parse(html).text.replace("<Script", "<script")
    words = parse(show_words(model, HOSTILE)).text
    assert all(word in words for word in HOSTILE.split())


def test_every_label_has_its_word_its_number_and_its_place() -> None:
    shares = {"bearish": 0.2, "neutral": 0.3, "bullish": 0.5}
    html = markup.bars(shares, make_marks(list(shares), {}))
    assert re.findall(r"</span> (\w+)</th>", html) == ["bearish", "neutral", "bullish"]
    assert re.findall(r"([\d.]+ %)</td>", html) == ["20.0 %", "30.0 %", "50.0 %"]


def test_an_unsure_answer_says_so_and_why() -> None:
    prediction = Prediction("up", 0.6, {"down": 0.4, "up": 0.6})
    marks = make_marks(["down", "up"], {})
    unsure = parse(markup.answer(prediction, marks, Doubt(0.7, 0.5, 40), 2.5)).text
    assert "Unsure, perhaps up" in unsure and "Took 2.5 ms" in unsure
    assert "of the 40 test rows that scored lower, 50.0 % were right" in unsure
    assert "has no threshold" in unsure
    assert "Unsure" not in parse(markup.answer(prediction, marks, Doubt(0.6, 0.5, 40), 2.5)).text


def test_the_threshold_of_the_card_is_told_with_what_it_does() -> None:
    words = markup.doubt_words(Doubt(0.812, 0.6, 1200, 0.1, 0.6, 0.094))
    assert words.startswith(
        "Unsure below 81.2 %: of the 1,200 test rows that scored lower, 60.0 % were right;"
    )
    assert "of the others, 60.0 % of all, 9.4 % were wrong" in words and "the model card's threshold" in words
    none = markup.doubt_words(Doubt(float("inf"), None, None, 0.1))
    assert none.startswith("Every answer counts as unsure") and "at most 10.0 %" in none


def test_words_have_their_sign_as_text() -> None:
    html = markup.words(Explanation("up", [Word("good", 0.25), Word("bad", -0.1), Word("the", 0.001)]))
    assert re.findall(r"<sub>(.*?)</sub>", html) == ["+25", "−10"]
    assert "left out in turn" in html

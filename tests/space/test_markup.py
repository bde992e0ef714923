from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import about
import markup
import pytest
from compare import show_comparison
from model import NO_FIGURES, Doubt, Model, load_model
from one import HARD_PAIR, show_answer, show_pair, show_words
from results import Line, Page

from inference.classifier import Prediction
from inference.explain import Explanation, Word

HOSTILE = "<script>alert(1)</script><img src=x onerror='alert(2)'>\"quoted\" & $x$"
ALLOWED = {
    *("a", "b", "caption", "code", "div", "h1", "h3", "label", "li", "p", "pre", "progress", "small", "span"),
    *("sub", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def parse(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    assert tags.tags <= ALLOWED
    assert not any(name.startswith("on") or name in ("src", "srcdoc") for name in tags.attributes)
    return tags


@pytest.fixture(scope="module")
def model(release: Path) -> Model:
    return load_model(str(release))


def test_text_of_users_is_never_html(model: Model) -> None:
    line = Line(1, HOSTILE, model.labels[0], 0.5, [0.5, 0.3, 0.2], True, None)
    bad = Line(2, HOSTILE, None, None, [None] * 3, False, HOSTILE)
    scores = {HOSTILE: 0.7, "other": 0.3}
    shown = [
        markup.message(HOSTILE, "error"),
        markup.answer(Prediction(HOSTILE, 0.7, scores), NO_FIGURES, 1.0, HOSTILE),
        markup.words(Explanation(HOSTILE, [Word(HOSTILE, 0.4), Word(HOSTILE, None)])),
        markup.page_table(Page([line, bad], 1, 1, 2), model.labels),
        markup.rows_table([HOSTILE], [[HOSTILE, HOSTILE]], HOSTILE),
        markup.bullets(HOSTILE, [HOSTILE]),
    ]
    for html in shown:
        assert HOSTILE in parse(html).text.replace("<Script", "<script")
    words = parse(show_words(model, HOSTILE)).text
    assert all(word in words for word in HOSTILE.split())


def test_every_label_has_its_word_its_number_and_its_place() -> None:
    html = markup.bars({"bearish": 0.2, "neutral": 0.3, "bullish": 0.5})
    assert re.findall(r"</span> (\w+)</th>", html) == ["bearish", "neutral", "bullish"]
    assert re.findall(r"([\d.]+ %)</td>", html) == ["20.0 %", "30.0 %", "50.0 %"]
    assert [markup.tone(["no", "yes"], one) for one in ("no", "yes")] == ["low", "high"]


def test_an_unsure_answer_says_so_and_why() -> None:
    prediction = Prediction("up", 0.6, {"down": 0.4, "up": 0.6})
    unsure = parse(markup.answer(prediction, Doubt(0.7, 0.5, 40), 2.5)).text
    assert "Unsure, perhaps up" in unsure and "Took 2.5 ms" in unsure
    assert "of the 40 test headlines that scored lower, 50.0 % were right" in unsure
    assert "names no threshold" in unsure
    assert "Unsure" not in parse(markup.answer(prediction, Doubt(0.6, 0.5, 40), 2.5)).text


def test_the_threshold_of_the_card_is_told_with_what_it_does() -> None:
    words = markup.doubt_words(Doubt(0.812, 0.6, 1200, 0.1, 0.6, 0.094))
    assert words.startswith(
        "Unsure below 81.2 %: of the 1,200 test headlines that scored lower, 60.0 % were right;"
    )
    assert (
        "of the others, 60.0 % of all, 9.4 % were wrong" in words and "threshold of the model card" in words
    )
    none = markup.doubt_words(Doubt(float("inf"), None, None, 0.1))
    assert none.startswith("Every answer counts as unsure") and "at most 10.0 %" in none


def test_words_have_their_sign_as_text() -> None:
    html = markup.words(Explanation("up", [Word("good", 0.25), Word("bad", -0.1), Word("the", 0.001)]))
    assert re.findall(r"<sub>(.*?)</sub>", html) == ["+25", "−10"]
    assert "left out in turn" in html


@pytest.mark.parametrize(
    ("text", "message"), [("", "There is no text yet"), ("x" * 10_001, "10,001 characters; at most 10,000")]
)
def test_a_text_that_is_refused_says_why(model: Model, text: str, message: str) -> None:
    assert message in show_answer(model, text)[0]
    assert show_words(model, text) == ""
    assert message in show_comparison(model, text)


def test_the_hard_pair_stands_side_by_side(model: Model) -> None:
    text = parse(show_pair(model)[0]).text
    assert all(one in text for one in HARD_PAIR)
    assert text.count("Which words decided") == 2


def test_a_comparison_has_both_files_with_size_and_time(model: Model) -> None:
    text = parse(show_comparison(model, "Profit rose")).text
    for name in ("onnx/model.onnx", "onnx/model_quantized.onnx"):
        size = (model.folder / name).stat().st_size / 1e6
        assert f"{name}, {size:.1f} MB" in text
    assert text.count("Took") == 2


def test_about_prints_what_was_measured(model: Model) -> None:
    text = parse(about.describe(model, "http://127.0.0.1:7860")).text
    for variant in model.metrics["variants"]:
        assert f"{variant['bytes'] / 1e6:.1f} MB" in text
        assert f"{variant['scores']['accuracy'] * 100:.1f} %" in text
    for limit in model.card["limits"]:
        assert limit in text


def test_about_links_the_very_commit(model: Model) -> None:
    published = Model(model.folder, "finsent/x", "0123456789abcdef")
    assert published.page == "https://huggingface.co/finsent/x/tree/0123456789abcdef"
    assert f'href="{published.page}"' in about.describe(published, "http://x")

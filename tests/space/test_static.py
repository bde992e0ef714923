"""The static form in a real browser: what a person does with it."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from markup import doubt_words
from model import load_model

from benchmarks.browser.chromium import transformers_js
from inference.classifier import Classifier
from inference.explain import explain
from publishing.space.forms import write_form
from publishing.space.preview import serving
from tests.space.browser import DESK, PHONE, Visit
from tests.space.conftest import LOCAL, SPACE, SUBJECT

pytestmark = pytest.mark.slow

HOSTILE = "<img src=x onerror=alert(1)>"
TEXT = "Castoria's net loss narrowed to USD 2 million from USD 9 million."


# Tells whether all files are kept; transformers.js writes the model behind its answer.
KEPT = """async (paths) => {
  const kept = await Promise.all(paths.map((path) => caches.match(path, { ignoreVary: true })));
  return kept.every(Boolean);
}"""


@pytest.fixture
def visit(browser: Any, site: tuple[str, list[str]]) -> Iterator[Visit]:
    context = browser.new_context(viewport=DESK)
    visit = Visit(context, site[0] + "/")
    yield visit
    context.close()


def wait_ready(visit: Visit) -> None:
    visit.page.wait_for_function(
        "document.getElementById('loading-words').textContent === 'The model is ready.'"
    )


def shares(visit: Visit, where: str) -> list[float]:
    cells = visit.page.locator(f"{where} .fs-bars .fs-number").all_inner_texts()
    return [float(cell.removesuffix(" %")) / 100 for cell in cells]


def test_it_opens_with_its_first_example_answered(visit: Visit, release: Path) -> None:
    example = load_model(str(release)).examples[0].text
    visit.page.wait_for_function("text => document.getElementById('text').value === text", arg=example)
    visit.wait_answer(example)
    assert visit.page.inner_text("#one-title") == "One headline"


def test_what_a_visitor_writes_first_is_kept(browser: Any, site: tuple[str, list[str]]) -> None:
    context = browser.new_context(viewport=DESK)
    context.add_init_script("""document.addEventListener("DOMContentLoaded", () => {
      document.getElementById("text").value = "Quick words";
    });""")
    visit = Visit(context, site[0] + "/")
    visit.page.wait_for_selector("#examples button")
    wait_ready(visit)
    visit.page.wait_for_timeout(300)
    assert visit.page.input_value("#text") == "Quick words"
    assert visit.page.inner_text("#answer") == ""
    context.close()


def test_no_example_comes_before_the_words_of_a_visitor_who_is_in_the_field(
    browser: Any, site: tuple[str, list[str]]
) -> None:
    context = browser.new_context(viewport=DESK)
    context.add_init_script("""document.addEventListener("DOMContentLoaded", () => {
      document.getElementById("text").focus();
    });""")
    visit = Visit(context, site[0] + "/")
    visit.page.wait_for_selector("#examples button")
    visit.page.keyboard.insert_text("Quick words")
    assert visit.page.input_value("#text") == "Quick words"
    context.close()


def test_one_headline(visit: Visit, release: Path) -> None:
    page = visit.page
    page.fill("#text", TEXT)
    page.press("#text", "Enter")
    visit.wait_answer(TEXT)
    model = load_model(str(release))
    expected = model.classifier(TEXT)
    assert shares(visit, "#answer") == pytest.approx(list(expected.scores.values()), abs=0.1)
    assert page.locator("#answer .fs-bars th").all_inner_texts() == [
        f"{sign} {label}" for sign, label in zip("▼■▲", model.labels, strict=True)
    ]
    assert [
        found.split("\n")[0] for found in page.locator("#answer .fs-word").all_inner_texts()
    ] == TEXT.split()
    assert doubt_words(model.doubt) in page.inner_text("#foot")
    visit.check()
    visit.shoot("static-one")


def test_words_are_weighed_by_shapley_values_as_in_python(visit: Visit, release: Path) -> None:
    page = visit.page
    page.fill("#text", TEXT)
    page.press("#text", "Enter")
    visit.wait_answer(TEXT)
    page.select_option("#method", "shapley")
    page.wait_for_selector("text=The words were added in 32 random orders.")
    expected = explain(load_model(str(release)).classifier, TEXT, "shapley")
    shown = [one.split("\n") for one in page.locator("#answer .fs-word").all_inner_texts()]
    assert [one[0] for one in shown] == [word.text for word in expected.words]
    points = [float((one[1:] or ["0"])[0].replace("−", "-")) / 100 for one in shown]
    assert points == pytest.approx([word.effect for word in expected.words], abs=0.1)
    visit.check()


@pytest.mark.parametrize("send", ["press", "click"])
def test_what_is_sent_before_the_page_is_ready_is_answered(
    browser: Any, site: tuple[str, list[str]], send: str
) -> None:
    context = browser.new_context(viewport=DESK)
    context.add_init_script("""
      const real = window.fetch, gate = new Promise((open) => (window.openGate = open));
      window.fetch = (...asked) => gate.then(() => real(...asked));
    """)
    visit = Visit(context, site[0] + "/")
    visit.page.fill("#text", TEXT)
    if send == "press":
        visit.page.press("#text", "Enter")
    else:
        visit.page.click("#classify", force=True)  # its words are not there yet
    visit.page.click("#theme", force=True)
    assert visit.page.inner_text("#answer") == ""
    visit.page.evaluate("openGate()")
    visit.wait_answer(TEXT)
    assert visit.page.input_value("#text") == TEXT
    assert visit.page.evaluate("document.body.classList.contains('dark')")
    visit.check()
    context.close()


def test_the_page_shows_size_and_says_that_text_stays(visit: Visit, release: Path) -> None:
    wait_ready(visit)
    size = (release / "onnx" / "model_quantized.onnx").stat().st_size / 1e6
    visit.page.wait_for_selector("#foot p:nth-child(2)")
    assert f"{size:.1f} MB" in visit.page.inner_text("#foot")
    assert "Your text stays on this machine" in visit.page.inner_text("main")


def test_text_is_sent_nowhere_and_the_model_is_kept(browser: Any, site: tuple[str, list[str]]) -> None:
    address, asked = site
    context = browser.new_context()
    first = Visit(context, address + "/")
    wait_ready(first)
    large = sorted(
        {path for path in asked if path.endswith((".onnx", ".wasm", ".mjs", "transformers.min.js"))}
    )
    assert len(large) == 4
    first.page.wait_for_function(KEPT, arg=large)
    asked.clear()
    first.page.fill("#text", "secret words")
    first.page.press("#text", "Enter")
    first.wait_answer("secret words")
    assert asked == []
    again = Visit(context, address + "/")
    wait_ready(again)
    assert not set(asked) & set(large)
    context.close()


def test_a_kept_file_that_is_another_is_fetched_again(browser: Any, site: tuple[str, list[str]]) -> None:
    context = browser.new_context()
    first = Visit(context, site[0] + "/")
    wait_ready(first)
    first.page.evaluate("""async () => {
      const kept = await caches.open("finsent");
      const other = () => new Response("throw new Error('changed')");
      for (const request of await kept.keys()) await kept.put(request, other());
    }""")
    again = Visit(context, site[0] + "/")
    wait_ready(again)
    again.check()
    context.close()


def test_examples_and_the_hard_pair(visit: Visit, release: Path) -> None:
    page = visit.page
    page.wait_for_selector("#examples button")
    page.fill("#text", "Something else")
    page.locator("#examples button").first.click()
    visit.wait_answer(load_model(str(release)).examples[0].text)
    assert page.input_value("#text")
    page.click("#pair")
    page.wait_for_selector("#answer .fs-pair")
    assert page.locator("#answer .fs-verdict").count() == 2
    visit.shoot("static-pair")


def test_many_lines_and_the_csv(visit: Visit, release: Path) -> None:
    page = visit.page
    lines = ["Profit rose", "=cmd|'/C calc'!A0", HOSTILE, 'He said "sell, now"', "x" * 10_001]
    page.fill("#lines", "\n\n".join(lines))
    page.click("#classify-all")
    page.wait_for_selector("#table tbody tr")
    assert "4 rows classified" in page.inner_text("#progress")
    assert "1 kept without an answer" in page.inner_text("#progress")
    visit.check()
    visit.shoot("static-many")
    with page.expect_download() as download:
        page.click("#csv")
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_bytes().decode("utf-8-sig"))))
    expected = Classifier(release).classify(lines[:4])
    assert [row[0] for row in rows[1:]] == [lines[0], "'" + lines[1], *lines[2:]]
    for row, one in zip(rows[1:5], expected, strict=True):
        assert [float(cell) for cell in row[3:6]] == pytest.approx(list(one.scores.values()), abs=0.1)
    assert rows[5][-1] == "10,001 characters; at most 10,000 are read"


def test_cancel_keeps_what_is_done(visit: Visit) -> None:
    page = visit.page
    wait_ready(visit)
    visit.paste("#lines", "\n".join(f"Operating profit number {n} rose at the mill" for n in range(4000)))
    page.click("#classify-all")
    page.wait_for_selector("#progress progress")
    page.click("#cancel")
    page.wait_for_selector("#table tbody tr")
    found = re.search(r"Cancelled: (\d+) rows classified", page.inner_text("#progress"))
    assert found and 0 < int(found[1]) < 4000
    assert page.is_enabled("#classify-all")


@pytest.mark.parametrize(
    ("field", "button", "text", "where", "message"),
    [
        ("#text", "#classify", " ", "#answer", "There is no text yet"),
        ("#text", "#classify", "x" * 1_000_000, "#answer", "1,000,000 characters; at most 10,000"),
        ("#lines", "#classify-all", "\n", "#progress", "nothing to classify yet"),
        ("#lines", "#classify-all", "up\n" * 5001, "#progress", "5,001 lines; at most 5,000"),
    ],
)
def test_what_is_refused_says_why(
    visit: Visit, field: str, button: str, text: str, where: str, message: str
) -> None:
    visit.paste(field, text)
    visit.page.click(button)
    visit.page.wait_for_selector(f"{where} [role=alert]")
    assert message in visit.page.inner_text(where)
    assert visit.page.input_value(field) == text


def test_html_is_shown_as_text(visit: Visit) -> None:
    visit.page.fill("#text", f"{HOSTILE} <b>bold</b>")
    visit.page.press("#text", "Enter")
    visit.wait_answer(f"{HOSTILE} <b>bold</b>")
    assert visit.page.locator("#answer img, #answer b").count() == 0
    visit.check()


def test_the_theme_is_switched_and_kept(visit: Visit) -> None:
    page = visit.page
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.click("#theme")
    assert page.evaluate(ground) == "rgb(20, 24, 28)"
    page.reload()
    assert page.evaluate(ground) == "rgb(20, 24, 28)"
    page.fill("#text", TEXT)
    page.press("#text", "Enter")
    visit.wait_answer(TEXT)
    visit.check()
    visit.shoot("static-dark")


def test_on_a_phone_nothing_is_cut_off(browser: Any, site: tuple[str, list[str]]) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    visit = Visit(context, site[0] + "/")
    visit.page.fill("#text", TEXT)
    visit.page.tap("#classify")
    visit.wait_answer(TEXT)
    visit.page.fill("#lines", TEXT)
    visit.page.tap("#classify-all")
    visit.page.wait_for_selector("#table tbody tr")
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    visit.check()
    visit.shoot("static-phone")
    context.close()


def test_the_keyboard_reaches_everything(visit: Visit) -> None:
    reached = set()
    for _ in range(14):
        visit.page.keyboard.press("Tab")
        reached.add(visit.page.evaluate("document.activeElement.id"))
        if visit.page.evaluate("document.activeElement === document.body"):
            continue  # the browser's own controls had their turn
        assert visit.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert {"theme", "text", "classify", "pair", "lines", "classify-all"} <= reached


def test_a_file_beside_the_page_may_name_the_model(browser: Any, release: Path, tmp_path: Path) -> None:
    write_form("static", SUBJECT, tmp_path / "form")
    shutil.copyfile(SPACE / "static" / "index.html", tmp_path / "form" / "index.html")
    pinned = {"id": "ann/other", "revision": "abc123", **LOCAL}
    (tmp_path / "form" / "model.json").write_text(json.dumps(pinned), encoding="utf-8")
    roots = {"/hub/ann/other/resolve/abc123/": [release], "/transformers/": transformers_js()}
    with serving({**roots, "/": [tmp_path / "form"]}) as (address, _):
        context = browser.new_context()
        visit = Visit(context, address + "/")
        wait_ready(visit)
        assert "ann/other, revision abc123" in visit.page.inner_text("#foot")
        visit.check()
        context.close()


def test_a_model_that_is_missing_is_told(browser: Any, site: tuple[str, list[str]], tmp_path: Path) -> None:
    write_form(
        "static",
        SUBJECT,
        tmp_path / "form",
        {"host": "./nowhere", "library": "./transformers/transformers.min.js"},
    )
    with serving({"/transformers/": transformers_js(), "/": [tmp_path / "form"]}) as (address, _):
        context = browser.new_context()
        visit = Visit(context, address + "/")
        visit.page.wait_for_selector("#load:not([hidden])")
        assert "could not be loaded" in visit.page.inner_text("#loading")
        context.close()

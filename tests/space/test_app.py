"""The Gradio form in a real browser, in its own folder and environment: what a person does with it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from model import load_model

from inference.classifier import Classifier
from tests.space.browser import DESK, PHONE, Visit
from tests.space.conftest import Demo
from tests.tiny import PAIR

pytestmark = pytest.mark.slow

HOSTILE = "<img src=x onerror=alert(1)> <b>bold</b>"
FORMULA = "=cmd|'/C calc'!A0"
TEXTS = ["Profit rose at the mill", FORMULA, HOSTILE, "Net loss widened"]
# A font with wide letters, as long as the page lives; set before anything is measured.
WIDEN = """document.addEventListener("DOMContentLoaded", () => {{
  const style = document.createElement("style");
  style.textContent = {css};
  document.head.append(style);
}});"""
XLSX = """
import json, openpyxl, sys
book = openpyxl.Workbook()
for row in json.load(sys.stdin):
    book.active.append(row)
book.save(sys.argv[1])
"""


@pytest.fixture
def visit(browser: Any, installed_demo: Demo) -> Iterator[Visit]:
    context = browser.new_context(viewport=DESK)
    visit = Visit(context, installed_demo.address)
    visit.page.wait_for_selector("#text textarea")
    yield visit
    context.close()


@pytest.fixture(scope="module")
def classifier(release: Path) -> Classifier:
    return Classifier(release)


def open_tab(visit: Visit, name: str) -> None:
    visit.page.get_by_role("tab", name=name).click()


def ask(visit: Visit, text: str) -> None:
    visit.page.fill("#text textarea", text)
    visit.page.press("#text textarea", "Enter")
    if text.strip() and len(text) <= 10_000:
        visit.wait_answer(text, "#words")


def test_it_opens_with_its_first_example_answered(visit: Visit, release: Path) -> None:
    model = load_model(str(release))
    assert visit.page.input_value("#text textarea") == model.examples[0].text
    visit.wait_answer(model.examples[0].text, "#words")
    found = model.classifier(model.examples[0].text)
    said = visit.page.inner_text("#answer .fs-verdict").lower()
    assert said.endswith(f"{found.label} {found.score * 100:.1f} %")


@pytest.mark.parametrize("width", [320, 360, 390])
@pytest.mark.parametrize("letters", ["", "* { letter-spacing: 0.4em !important }"], ids=["usual", "wide"])
def test_all_tabs_are_seen_on_a_phone_whatever_its_font(
    browser: Any, installed_demo: Demo, width: int, letters: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 740}, has_touch=True, is_mobile=True)
    context.add_init_script(WIDEN.format(css=json.dumps(letters)))
    visit = Visit(context, installed_demo.address)
    for name in ("Many", "Compare", "About", "One headline"):
        tab = visit.page.get_by_role("tab", name=name)
        tab.tap()
        assert tab.get_attribute("aria-selected") == "true"
        box = tab.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= width and box["height"] >= 24
    assert not visit.page.locator(".overflow-menu").is_visible()
    visit.shoot(f"gradio-tabs-{width}-{'wide' if letters else 'usual'}")
    context.close()


def test_one_headline(visit: Visit, release: Path) -> None:
    ask(visit, PAIR[0])
    model = load_model(str(release))
    expected = model.classifier(PAIR[0])
    cells = visit.page.locator("#answer .fs-bars .fs-number").all_inner_texts()
    assert cells == [f"{share * 100:.1f} %" for share in expected.scores.values()]
    shown = visit.page.inner_text("#answer")
    assert ("Unsure" in shown) == (expected.score < model.doubt.threshold)
    words = visit.page.locator("#words .fs-word").all_inner_texts()
    assert [word.split("\n")[0] for word in words] == PAIR[0].split()
    visit.check()
    visit.shoot("gradio-one")


def test_examples_and_the_hard_pair(visit: Visit, release: Path) -> None:
    example = load_model(str(release)).examples[0]
    ask(visit, "Something else")
    visit.page.get_by_role("button", name=example.title, exact=True).click()
    visit.wait_answer(example.text, "#words")
    assert visit.page.input_value("#text textarea") == example.text
    visit.page.click("#pair")
    visit.page.wait_for_selector("#answer .fs-pair")
    assert visit.page.locator("#answer .fs-text").all_inner_texts() == list(PAIR)
    visit.check()
    visit.shoot("gradio-pair")


@pytest.mark.parametrize(
    ("text", "message"), [(" ", "no text yet"), ("x" * 1_000_000, "1,000,000 characters")]
)
def test_a_refused_text_stays_where_it_is(visit: Visit, text: str, message: str) -> None:
    ask(visit, text)
    visit.page.wait_for_selector("#answer [role=alert]")
    assert message in visit.page.inner_text("#answer")
    assert visit.page.input_value("#text textarea") == text


def test_html_is_shown_as_text(visit: Visit) -> None:
    ask(visit, HOSTILE)
    assert visit.page.locator("#words img, #words b, #answer img").count() == 0
    visit.check()


def write_upload(kind: str, path: Path, python: Path) -> Path:
    """Write rows of an id and a headline, one of them empty, as one kind of file."""
    rows = [["id", "headline"], *([str(number), text] for number, text in enumerate([*TEXTS, ""]))]
    file = path / f"upload.{kind}"
    if kind == "csv":
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        file.write_text(text.getvalue(), encoding="utf-8")
    elif kind == "jsonl":
        file.write_text("\n".join(json.dumps(dict(zip(rows[0], row, strict=True))) for row in rows[1:]))
    elif kind == "parquet":
        pq.write_table(
            pa.table(dict(zip(rows[0], map(list, zip(*rows[1:], strict=True)), strict=True))), file
        )
    else:
        subprocess.run([python, "-c", XLSX, file], input=json.dumps(rows), text=True, check=True)
    return file


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "xlsx"])
def test_a_file_goes_up_and_comes_back(
    visit: Visit, kind: str, tmp_path: Path, space_python: Path, classifier: Classifier
) -> None:
    page = visit.page
    open_tab(visit, "Many")
    page.set_input_files("#file input[type=file]", str(write_upload(kind, tmp_path, space_python)))
    page.wait_for_selector("#column input")
    assert page.input_value("#column input") == "headline"
    page.click("#classify-all")
    page.wait_for_selector("#table tbody tr")
    assert "4 rows classified" in page.inner_text("#progress")
    assert "1 kept without an answer" in page.inner_text("#progress")
    assert page.locator("#table tbody img, #table tbody b").count() == 0
    expected = classifier.classify(TEXTS)
    parquet = pq.read_table(download(visit, "#parquet")).to_pylist()
    assert [row["headline"] for row in parquet[:4]] == TEXTS
    assert [row["predicted label"] for row in parquet[:4]] == [one.label for one in expected]
    assert parquet[4]["problem"] == "empty"
    with download(visit, "#csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert [row["headline"] for row in rows[:4]] == [TEXTS[0], "'" + FORMULA, *TEXTS[2:]]
    label = classifier.labels[0]
    assert [float(row[f"p {label}"]) for row in rows[:4]] == pytest.approx(
        [one.scores[label] for one in expected], abs=1e-6
    )
    visit.check()
    visit.shoot(f"gradio-many-{kind}")


def download(visit: Visit, button: str) -> Path:
    with visit.page.expect_download() as found:
        visit.page.click(button)
    return Path(found.value.path())


def test_filters_sorting_and_pages(visit: Visit) -> None:
    page = visit.page
    open_tab(visit, "Many")
    page.fill("#lines textarea", "\n".join(f"Profit {number} rose" for number in range(120)))
    page.click("#classify-all")
    page.wait_for_selector("text=120 rows, page 1 of 3")
    page.click("#next")
    page.wait_for_selector("text=120 rows, page 2 of 3")
    page.fill("#contains textarea, #contains input", "11")
    page.wait_for_selector("text=11 rows, page 1 of 1")
    page.click("#order input")
    page.get_by_role("option", name="surest first").click()
    page.wait_for_timeout(1000)
    column = [float(cell) for cell in page.locator("#table td.fs-number").all_inner_texts()]
    surest = [max(column[start : start + 3]) for start in range(0, len(column), 3)]
    assert surest == sorted(surest, reverse=True) and len(surest) == 11
    page.fill("#contains textarea, #contains input", "")
    page.click("#show input")
    page.get_by_role("option", name="with a problem").click()
    page.wait_for_selector("text=0 rows, page 1 of 1")
    visit.check()


def test_cancel_stops_and_keeps_what_is_done(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    file = tmp_path / "long.csv"
    lines = (f"{number},Operating profit number {number} rose at the mill" for number in range(99_999))
    file.write_text("id,text\n" + "\n".join(lines), encoding="utf-8")
    open_tab(visit, "Many")
    page.set_input_files("#file input[type=file]", str(file))
    page.wait_for_selector("#column input")
    page.click("#classify-all")
    page.wait_for_selector("#progress progress:not([value='0'])")
    visit.shoot("gradio-progress")
    page.click("#cancel")
    page.wait_for_selector("#table tbody tr", timeout=15_000)
    assert "Cancelled: " in page.inner_text("#progress")
    found = pq.read_table(download(visit, "#parquet"))
    done = found["predicted label"].drop_null()
    assert 0 < len(done) < 99_999 == found.num_rows
    assert f"{len(done):,} rows classified" in page.inner_text("#progress")
    visit.check()


def test_a_hostile_file_is_told_and_the_paste_still_works(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    open_tab(visit, "Many")
    page.fill("#lines textarea", "Profit rose")
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 nonsense")
    page.set_input_files("#file input[type=file]", str(broken))
    page.wait_for_selector("#about-input [role=alert]")
    assert "not a readable Parquet" in page.inner_text("#about-input")
    page.click("#classify-all")
    page.wait_for_selector("#progress [role=alert]")
    assert page.input_value("#lines textarea") == "Profit rose"
    page.locator("#file button[aria-label*='lear'], #file button[aria-label*='emove']").first.click()
    page.wait_for_selector("text=No file: pasted lines are taken")
    page.click("#classify-all")
    page.wait_for_selector("#table tbody tr")
    visit.check()


def test_a_good_file_after_a_broken_one_offers_its_columns(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    open_tab(visit, "Many")
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    (tmp_path / "good.csv").write_text("id,headline\n1,Profit rose\n", encoding="utf-8")
    page.set_input_files("#file input[type=file]", str(tmp_path / "empty.csv"))
    page.wait_for_selector("#about-input [role=alert]")
    page.locator("#file button[aria-label*='lear'], #file button[aria-label*='emove']").first.click()
    page.wait_for_selector("text=No file: pasted lines are taken")
    page.set_input_files("#file input[type=file]", str(tmp_path / "good.csv"))
    page.wait_for_selector("text=1 row, 2 columns")
    page.wait_for_selector("#column input")
    assert page.input_value("#column input") == "headline"
    visit.check()


def test_a_file_that_is_too_large_is_told_and_the_paste_still_works(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    open_tab(visit, "Many")
    page.fill("#lines textarea", "Profit rose")
    large = tmp_path / "large.csv"
    large.write_bytes(b"headline\n" + b"Profit rose at the mill\n" * 2_200_000)
    page.set_input_files("#file input[type=file]", str(large))
    page.wait_for_selector("text=exceed the maximum allowed size of 50")
    assert "50 MB" in page.inner_text("#about-input")
    page.click("#classify-all")
    page.wait_for_selector("#table tbody tr")
    assert "1 row classified" in page.inner_text("#progress")


def test_column_names_are_text_too(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    file.write_text(f"id,{HOSTILE}\n1,Profit rose at the mill\n", encoding="latin-1")
    open_tab(visit, "Many")
    visit.page.set_input_files("#file input[type=file]", str(file))
    visit.page.wait_for_selector("#column input")
    visit.page.click("#column input")
    visit.page.wait_for_timeout(300)
    assert visit.page.locator("#column img, #about-input img, #column b").count() == 0
    visit.check()


def test_compare_and_about(visit: Visit, release: Path) -> None:
    page = visit.page
    open_tab(visit, "Compare")
    page.fill("#compare-text textarea", PAIR[1])
    page.click("#compare")
    page.wait_for_selector("#comparison .fs-pair")
    assert "onnx/model_quantized.onnx" in page.inner_text("#comparison")
    visit.check()
    visit.shoot("gradio-compare")
    open_tab(visit, "About")
    page.wait_for_selector("#about table")
    visit.check()
    visit.shoot("gradio-about")


def test_the_theme_is_switched_and_kept(visit: Visit) -> None:
    page = visit.page
    ground = "getComputedStyle(document.querySelector('#text textarea')).backgroundColor"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.click("#theme")
    page.wait_for_timeout(500)
    assert page.evaluate(ground) == "rgb(20, 24, 28)"
    page.reload()
    page.wait_for_selector("#text textarea")
    ask(visit, PAIR[0])
    assert page.evaluate(ground) == "rgb(20, 24, 28)"
    visit.check()
    visit.shoot("gradio-dark")


def test_on_a_phone_nothing_is_cut_off(browser: Any, installed_demo: Demo) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    visit = Visit(context, installed_demo.address)
    visit.page.wait_for_selector("#text textarea")
    visit.page.fill("#text textarea", PAIR[0])
    visit.page.tap("#classify")
    visit.wait_answer(PAIR[0], "#words")
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    visit.check()
    visit.shoot("gradio-phone")
    context.close()


def test_the_keyboard_reaches_everything(visit: Visit) -> None:
    reached = set()
    for _ in range(20):
        visit.page.keyboard.press("Tab")
        reached.add(
            visit.page.evaluate("document.activeElement.id || document.activeElement.closest('[id]')?.id")
        )
    assert {"theme", "classify", "pair"} <= reached
    assert "text" in str(reached)

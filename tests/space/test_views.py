"""Every view of both forms, light and dark, at a desk and on a phone: a picture of each, nothing amiss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.space.browser import DESK, PHONE, Visit
from tests.space.conftest import Demo
from tests.tiny import PAIR

pytestmark = pytest.mark.slow

SIZES = {"desk": {"viewport": DESK}, "phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True}}
LINES = [
    "Castoria swings to profit as grain prices recover",
    "=cmd|'/C calc'!A0",
    "<img src=x onerror=alert(1)> <b>bold</b>",
    "Havnby Marine to publish its interim report on 14 May",
    "Orwell Mills cuts its guidance for the second time this year after a fire at its largest plant",
    "x" * 10_001,
]


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=list(SIZES))
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def look(browser: Any, theme: str, size: str) -> Iterator[Callable[[str], Visit]]:
    """Open an address as a visitor does whose machine is light or dark, large or small."""
    context = browser.new_context(**SIZES[size], color_scheme=theme)
    yield lambda address: Visit(context, address)
    context.close()


def keep(visit: Visit, name: str, theme: str, size: str) -> None:
    """Write the picture, after nothing was found to be cut off, unreadable or complained about."""
    visit.page.wait_for_timeout(300)  # colours fade in
    width = visit.page.evaluate("document.documentElement.scrollWidth")
    assert width <= SIZES[size]["viewport"]["width"], name  # type: ignore[index]
    ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 28)"}[theme]
    visit.check()
    visit.shoot(f"{name}-{theme}-{size}")


def test_gradio(
    look: Callable[[str], Visit], theme: str, size: str, installed_demo: Demo, tmp_path: Path
) -> None:
    visit = look(installed_demo.address)
    page = visit.page

    def shot(name: str) -> None:
        keep(visit, f"gradio-{name}", theme, size)

    page.wait_for_selector("#text textarea")
    shot("one-empty")
    page.click("#classify")
    page.wait_for_selector("#answer [role=alert]")
    shot("one-refused")
    page.fill("#text textarea", PAIR[0])
    page.press("#text textarea", "Enter")
    page.wait_for_selector("#words .fs-words")
    shot("one")
    page.click("#pair")
    page.wait_for_selector("#answer .fs-pair")
    shot("pair")
    page.get_by_role("tab", name="Many").click()
    page.wait_for_selector("#classify-all")
    shot("many-empty")
    file = tmp_path / "headlines.jsonl"
    file.write_text("\n".join([*(f'{{"headline": "Profit {n} rose"}}' for n in range(60)), "broken"]))
    page.set_input_files("#file input[type=file]", str(file))
    page.wait_for_selector("#column input")
    shot("many-file")
    page.locator("#file button[aria-label*='lear'], #file button[aria-label*='emove']").first.click()
    visit.paste("#lines textarea", "\n".join(LINES))
    page.click("#classify-all")
    page.wait_for_selector("#table tbody tr")
    shot("many")
    page.get_by_role("tab", name="Compare").click()
    page.fill("#compare-text textarea", PAIR[1])
    page.click("#compare")
    page.wait_for_selector("#comparison .fs-pair")
    shot("compare")
    page.get_by_role("tab", name="About").click()
    page.wait_for_selector("#about table")
    shot("about")


def test_static(look: Callable[[str], Visit], theme: str, size: str, site: tuple[str, list[str]]) -> None:
    visit = look(site[0] + "/")
    page = visit.page

    def shot(name: str) -> None:
        keep(visit, f"static-{name}", theme, size)

    page.wait_for_selector("#foot p:nth-child(2)")
    page.wait_for_function("document.getElementById('loading-bar').hidden")
    shot("empty")
    page.click("#classify")
    page.wait_for_selector("#answer [role=alert]")
    shot("refused")
    page.fill("#text", PAIR[0])
    page.press("#text", "Enter")
    page.wait_for_selector("#answer .fs-words")
    shot("one")
    page.click("#pair")
    page.wait_for_selector("#answer .fs-pair")
    shot("pair")
    visit.paste("#lines", "\n".join(LINES))
    page.click("#classify-all")
    page.wait_for_selector("#table tbody tr")
    shot("many")

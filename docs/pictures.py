"""Take README's pictures again, after `make release`.

python -m docs.pictures runs/quickstart

Chromium opens the model page on the Hub in runs/hub, and the demo that a push would send.
"""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from PIL import Image, ImageOps

from benchmarks.browser.chromium import chromium
from benchmarks.environments import free_port
from finsent import REPOSITORY
from finsent.cli import make_app, print_anywhere
from finsent.recipe.file import read_released_recipe
from finsent.release import RECIPE, Run
from local_hub import HubSettings, running_hub

app = make_app(__doc__)

IMAGES = REPOSITORY / "docs" / "images"
HUB = REPOSITORY / "runs" / "hub"
EXAMPLE = 2  # of the card, from 0
SIZE = {"width": 1000, "height": 740}
COLOURS = 64  # more than the pages have; a palette makes the files a third as large
FRAME = "#d0d7de"  # or a picture would melt into a white page
START_SECONDS = 300


@app.command(help=app.info.help)
def main(run: Annotated[Path, typer.Argument(help="a run, such as runs/quickstart")]) -> None:
    """Write docs/images/model_page.png and demo.png."""
    IMAGES.mkdir(exist_ok=True)
    with published(run) as model_page, running_demo(run) as demo, chromium() as browser:
        take(browser, model_page, choose_example, "model_page.png")
        take(browser, demo, press_example, "demo.png")


def choose_example(page: Any) -> None:  # noqa: ANN401  (Playwright comes from an environment of its own)
    """Let the widget answer an example; the first try may end before the model is loaded."""
    page.get_by_label("Examples").select_option(index=EXAMPLE)
    ready = page.locator(".widget > button:enabled")
    ready.wait_for()
    while not page.locator(".widget progress").count():
        ready.click()
        ready.wait_for()


def press_example(page: Any) -> None:  # noqa: ANN401
    """Let the demo answer an example; it opens with the answer to another."""
    words = page.locator(".fs-word")
    words.first.wait_for()
    before = words.all_inner_texts()
    page.locator("button.sm").nth(EXAMPLE + 1).click()  # behind the button for light or dark
    while words.all_inner_texts() in ([], before) or page.locator(".pending").count():
        page.wait_for_timeout(500)


@contextmanager
def published(run: Path) -> Iterator[str]:
    """Yield the address of the run's model page on the Hub of this machine, where `make release` put it."""
    name = read_released_recipe(Run(run).release / RECIPE).hub.model
    with running_hub(HubSettings(HUB)) as hub:
        yield f"{hub.endpoint}/{name}"


@contextmanager
def running_demo(run: Path) -> Iterator[str]:
    """Yield the address of the Gradio demo of a run while the context lasts."""
    port = free_port()
    command = [sys.executable, "-m", "publishing.space.preview", str(run), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            await_answer(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def await_answer(address: str) -> None:
    """Wait until an address answers; TimeoutError after START_SECONDS."""
    for _ in range(START_SECONDS):
        try:
            urllib.request.urlopen(address, timeout=60).close()
        except OSError:
            time.sleep(1)
        else:
            return
    raise TimeoutError(f"{address} does not answer")


def take(browser: Any, address: str, act: Callable[[Any], None], name: str) -> None:  # noqa: ANN401
    """Open a page, act on it, and write what a visitor then sees."""
    page = browser.new_page(viewport=SIZE)
    page.set_default_timeout(1000 * START_SECONDS)
    page.goto(address)
    act(page)
    page.mouse.move(0, 0)
    page.wait_for_timeout(2000)  # bars grow
    page.screenshot(path=IMAGES / name)
    with Image.open(IMAGES / name) as picture:
        framed = ImageOps.expand(picture.convert("RGB"), 1, FRAME)
        framed.quantize(COLOURS).save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    print_anywhere()
    app()

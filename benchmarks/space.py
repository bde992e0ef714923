"""Time the demo beside the bare classifier: start, one text, a large table, and the static page in a browser.

python -m benchmarks.space runs/quickstart/release     print the table and write benchmarks/space.md

The app runs in its own process from the files that a push would send. The static page runs in Chromium with
a local copy of its libraries.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

from finsent.cli import make_app, print_anywhere

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import typer
from gradio_client import Client
from rich.console import Console

from benchmarks.browser.chromium import chromium, transformers_js
from benchmarks.environments import free_port
from benchmarks.machine import tell_run
from finsent import REPOSITORY
from finsent.data.sources.fetch import Places
from finsent.data.sources.read import read_source
from finsent.recipe.file import read_released_recipe
from finsent.release import RECIPE
from inference.classifier import Classifier
from publishing.space.forms import write_form
from publishing.space.preview import (
    LOCAL_LIBRARY,
    LOCAL_MODEL,
    app_environment,
    describe_release,
    page_roots,
    serving,
)

app = make_app(__doc__)

OUTPUT = Path(__file__).with_name("space.md")
SPACE = REPOSITORY / "space"
STARTS = 3
VISITS = 3
BLOCK = 25  # calls before the next way has its turn
ECHO = """
import sys, gradio as gr
def echo(text: str) -> str:
    return text
with gr.Blocks(analytics_enabled=False) as demo:
    gr.api(echo, api_name="echo")
demo.launch(server_port=int(sys.argv[1]), ssr_mode=False, quiet=True)
"""
Row = tuple[str, str, str, str]  # what, measured, beside it, the aim


@contextlib.contextmanager
def serve(command: list[str], port: int, release: Path) -> Iterator[tuple[Client, float, float]]:
    """Run a Gradio app; yields its client, when its process was started, and when the client reached it."""
    with tempfile.TemporaryDirectory() as folder:
        write_form("gradio", describe_release(release), Path(folder) / "form")
        environment = app_environment(release, Path(folder), port)
        yield from _connect(command, Path(folder) / "form", environment, port)


def _connect(
    command: list[str], form: Path, environment: dict[str, str], port: int
) -> Iterator[tuple[Client, float, float]]:
    started = time.perf_counter()
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=form, env=environment, stdout=quiet, stderr=quiet)
    try:
        while True:
            try:
                client = Client(f"http://127.0.0.1:{port}", verbose=False, download_files=False)
                break
            except Exception:  # the client has an error of its own for each stage of not being there yet
                if process.poll() is not None:
                    raise
                time.sleep(0.05)
        yield client, started, time.perf_counter()
        client.close()
    finally:
        process.terminate()
        process.wait(20)


def time_starts(release: Path) -> Row:
    """Time the first answer, from the start of the process and from when the app can be reached."""
    whole, after = [], []
    for _ in range(STARTS):
        with serve([sys.executable, "app.py"], free_port(), release) as (client, started, reached):
            client.predict("Profit rose", api_name="/classify")
            whole.append(time.perf_counter() - started)
            after.append(time.perf_counter() - reached)
    process = f"{np.median(whole):.2f} s from the start of the process"
    return ("first answer", f"{np.median(after):.2f} s after the app is up", process, "under 2 s")


def time_one(release: Path, texts: list[str]) -> Row:
    """Time one headline through the API beside the bare classifier and Gradio's own round trip, in turn."""
    classifier = Classifier(release)
    took: dict[str, list[float]] = {"bare": [], "echo": [], "app": []}
    echo_port = free_port()
    echo_command = [sys.executable, "-c", ECHO, str(echo_port)]
    with (
        serve([sys.executable, "app.py"], free_port(), release) as (app, *_),
        serve(echo_command, echo_port, release) as (echo, *_),
    ):
        ways: dict[str, Callable[[str], Any]] = {
            "bare": classifier,
            "echo": lambda text: echo.predict(text, api_name="/echo"),
            "app": lambda text: app.predict(text, api_name="/classify"),
        }
        for start in range(0, len(texts), BLOCK):
            for name, way in ways.items():
                for text in texts[start : start + BLOCK]:
                    begun = time.perf_counter()
                    way(text)
                    took[name].append((time.perf_counter() - begun) * 1000)
    bare, trip, whole = (float(np.median(values[BLOCK:])) for values in took.values())
    limit = 1.3 * bare + trip
    beside = f"bare {bare:.2f} ms + Gradio's round trip {trip:.2f} ms"
    return ("one headline, p50", f"{whole:.2f} ms", beside, f"at most {limit:.2f} ms (1.3 x bare + trip)")


def time_many(release: Path, texts: list[str], rows: int) -> Row:
    """Time a CSV from upload to the files for download beside `predict` on the same texts."""
    sys.path.append(str(SPACE))  # the app's modules import each other by bare names
    import gradio as gr
    from many import Many  # type: ignore[import-not-found]
    from model import load_model  # type: ignore[import-not-found]

    lines = [texts[index % len(texts)] for index in range(rows)]
    model = load_model(str(release))
    with gr.Blocks(analytics_enabled=False):
        tab: Any = Many(model)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "many.csv"
        quoted = ('"' + line.replace('"', '""') + '"' for line in lines)
        file.write_text("headline\n" + "\n".join(quoted) + "\n", encoding="utf-8")
        begun = time.perf_counter()
        visitor = SimpleNamespace(session_hash="x")
        upload = tab.read_file(None, str(file), True)
        [*_, last] = tab.classify("", upload, "headline", None, visitor)
        app = time.perf_counter() - begun
    done = last[tab.result].done
    assert done == rows, f"{done} of {rows} rows were classified"
    begun = time.perf_counter()
    model.classifier.predict(lines)
    bare = time.perf_counter() - begun
    return (
        f"{rows:,} headlines in one go",
        f"{rows / app:.0f} a second, with reading and writing",
        f"inference.classifier: {rows / bare:.0f} a second",
        f"at least 80 %: {bare / app:.0%}",
    )


def time_page(release: Path) -> list[Row]:
    """Time the static page in Chromium from opening it to the first answer, first visit and cached."""
    subject, first, again = describe_release(release), [], []
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        form = Path(folder) / "form"
        write_form("static", subject, form, LOCAL_MODEL | LOCAL_LIBRARY)
        with serving(page_roots(form, release, subject, transformers_js())) as (address, _):
            for _ in range(VISITS):
                context = browser.new_context()
                first.append(_open(context, address))
                again.append(_open(context, address))
                context.close()
    aim = "under 3 s on loopback"
    return [
        ("static page, first visit", f"{np.median(first):.2f} s to the first answer", "", aim),
        ("static page, again", f"{np.median(again):.2f} s to the first answer", "", aim),
    ]


def _open(context: Any, address: str) -> float:  # noqa: ANN401  (Playwright is not in this environment)
    page = context.new_page()
    begun = time.perf_counter()
    page.goto(address)
    page.fill("#text", "Operating profit rose")
    page.press("#text", "Enter")
    page.wait_for_selector("#answer .fs-verdict", timeout=60_000)
    took = time.perf_counter() - begun
    page.wait_for_timeout(1500)  # the cache is written behind the answer
    page.close()
    return took


def render(release: Path, rows: list[Row], count: int) -> str:
    """Return the page: a table, and what it was measured on."""
    command = f"python -m benchmarks.space RELEASE --rows {count}"
    lines = ["# The demo", "", f"Generated by `{command}`; medians.", ""]
    lines += ["| what | measured | beside it | aim |", "| --- | --- | --- | --- |"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    lines += ["", f"- Release `{release.parent.name}`; {STARTS} starts, {VISITS} visits."]
    load = f"load average {os.getloadavg()[1]:.1f} over the last five minutes"
    lines += [f"- On {len(os.sched_getaffinity(0))} cores; {load}.", *tell_run([release])]
    return "\n".join(lines) + "\n"


@app.command(help=app.info.help)
def main(
    release: Annotated[Path, typer.Argument(help="a release, such as runs/quickstart/release")],
    rows: Annotated[int, typer.Option(help="rows in the large table")] = 100_000,
    texts: Annotated[int, typer.Option(help="headlines to time one by one")] = 200,
) -> None:
    """Time the demo and write benchmarks/space.md."""
    recipe = read_released_recipe(release / RECIPE)
    own = next(source for source in recipe.data.sources if source.path is not None)
    known = [row.text for row in read_source(own, Places()).rows]
    table = [time_starts(release), time_one(release, known[:texts]), time_many(release, known, rows)]
    page = render(release, [*table, *time_page(release)], rows)
    OUTPUT.write_text(page, encoding="utf-8")
    Console().print(page, markup=False, soft_wrap=True)


if __name__ == "__main__":
    print_anywhere()
    app()

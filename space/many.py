"""The tab for many headlines: paste or upload, classify with progress, look through, download."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

import markup
from model import Model
from results import Result, Run, filters, orders, read_page
from tables import (
    MEGABYTE,
    MOST_BYTES,
    MOST_ROWS,
    SUFFIXES,
    Table,
    UnreadableFile,
    guess_column,
    read_lines,
    read_table,
)

REFRESH_SECONDS = 0.3
KEEP_SECONDS = 3600  # how long results wait on the disk for a visitor
RESULTS = Path(tempfile.gettempdir()) / f"finsent-results-{os.getpid()}"
Update = dict[Any, Any]


class Jobs:
    """Which visitor wants his run to stop. A visitor has one run at a time."""

    def __init__(self) -> None:
        self._stopped: dict[str, bool] = {}

    def open(self, visitor: str) -> None:
        """Note that a run is wanted, so that it can be cancelled while it still waits."""
        self._stopped[visitor] = False

    def stop(self, visitor: str) -> bool:
        """Ask the visitor's run to stop; False when there is none."""
        if visitor in self._stopped:
            self._stopped[visitor] = True
            return True
        return False

    def is_stopped(self, visitor: str) -> bool:
        """Whether the run is to stop."""
        return self._stopped.get(visitor, False)

    def close(self, visitor: str) -> None:
        """Forget the run."""
        self._stopped.pop(visitor, None)


class Many:
    """The tab, with what its events share."""

    def __init__(self, model: Model) -> None:
        """Add the components and events to the Blocks that is open."""
        self.model, self.jobs = model, Jobs()
        self.orders, self.filters = orders(model.labels), filters(model.labels)
        self._add_inputs()
        self._add_outputs()
        self._connect()

    def _add_inputs(self) -> None:
        with gr.Row():
            self.pasted = gr.Textbox(
                label="Headlines, one a line",
                lines=7,
                max_lines=12,
                elem_id="lines",
                placeholder="Operating profit rose\nNet loss widened",
            )
            with gr.Column():
                self.file = gr.File(
                    label="or a file: CSV, JSONL, Parquet, XLSX",
                    file_types=list(SUFFIXES),
                    height=180,
                    elem_id="file",
                )
                self.column = gr.Dropdown(
                    label="Column with the headlines", visible=False, elem_id="column", interactive=True
                )
                self.header = gr.Checkbox(
                    label="The first row names the columns", visible=False, elem_id="header", interactive=True
                )
        limits = (
            f"Up to {MOST_ROWS:,} rows and {MOST_BYTES // MEGABYTE} MB; a file counts before pasted lines."
        )
        self.about_input = gr.HTML(markup.message(limits), elem_id="about-input", padding=False)
        with gr.Row(elem_classes="fs-buttons"):
            self.go = gr.Button("Classify all", variant="primary", elem_id="classify-all", scale=0)
            self.cancel = gr.Button("Cancel", elem_id="cancel", scale=0, interactive=False)

    def _add_outputs(self) -> None:
        self.progress = gr.HTML(elem_id="progress", padding=False)
        self.result = gr.State(None, time_to_live=KEEP_SECONDS)
        self.page = gr.State(1)
        with gr.Column(visible=False, elem_id="results") as self.results:
            self.summary = gr.HTML(elem_id="summary", padding=False)
            with gr.Row(elem_classes="fs-buttons"):
                self.csv = gr.DownloadButton("Download CSV", elem_id="csv", scale=0)
                self.parquet = gr.DownloadButton("Download Parquet", elem_id="parquet", scale=0)
            gr.HTML(
                '<p class="fs-quiet">In the CSV an apostrophe stands before cells that a spreadsheet would '
                "run as a formula; the Parquet file has every text as it was.</p>",
                padding=False,
            )
            with gr.Row():
                self.show = gr.Dropdown(self.filters, value="all rows", label="Show", elem_id="show")
                self.order = gr.Dropdown(
                    list(self.orders), value="as uploaded", label="Sort", elem_id="order"
                )
                self.contains = gr.Textbox(label="Text contains", elem_id="contains")
            self.table = gr.HTML(elem_id="table", padding=False)
            with gr.Row(elem_classes="fs-buttons"):
                self.previous = gr.Button("Previous page", size="sm", scale=0, elem_id="previous")
                self.next = gr.Button("Next page", size="sm", scale=0, elem_id="next")

    def _connect(self) -> None:
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        look = {"concurrency_id": "look", "concurrency_limit": 1, **quiet}
        described = [self.column, self.header, self.about_input]
        self.file.change(self.describe_file, self.file, described, **look)
        self.header.input(self.describe_file, [self.file, self.header], described, **look)
        buttons = [self.go, self.cancel]
        opened = self.go.click(self.open_job, None, [self.progress, *buttons], queue=False, **quiet)
        classified = opened.then(
            self.classify,
            [self.pasted, self.file, self.column, self.header, self.result],
            [
                *(self.progress, self.results, self.summary, self.result, self.csv, self.parquet),
                *(self.table, self.show, self.order, self.contains, self.page, self.previous, self.next),
            ],
            concurrency_id="many",
            concurrency_limit=1,
            **quiet,
        )
        classified.then(partial(self.set_running, False), None, buttons, queue=False, **quiet)
        self.cancel.click(self.stop_job, None, self.progress, queue=False, **quiet)
        view = [self.result, self.show, self.contains, self.order]
        shown = [self.table, self.page, self.previous, self.next]
        for event in (self.show.input, self.order.input, self.contains.change):
            event(self.turn_page, view, shown, trigger_mode="always_last", **look)
        for button, step in ((self.previous, -1), (self.next, 1)):
            button.click(partial(self.turn_page, step=step), [*view, self.page], shown, **look)

    def describe_file(self, path: str | None, header: bool | None = None) -> Update:
        """Read an upload as soon as it is there: offer its columns, the likely one first."""
        hidden = {self.column: gr.update(visible=False), self.header: gr.update(visible=False)}
        if path is None:
            return {**hidden, self.about_input: markup.message("No file: pasted lines are taken.")}
        try:
            table = read_table(Path(path), header)
        except UnreadableFile as error:
            return {**hidden, self.about_input: markup.message(str(error), "error")}
        column = guess_column(table)
        found = [f"{markup.row_count(len(table.rows))}, {len(table.columns)} columns."]
        if table.problems:
            found.append(f"With a problem, kept and marked: {markup.row_count(len(table.problems))}.")
        sample = next((row[table.columns.index(column)] for row in table.rows), None)
        found += [f"First of “{column}”: {str(sample)[:120]}", *table.notes]
        return {
            self.column: gr.update(choices=table.columns, value=column, visible=True),
            self.header: gr.update(value=bool(table.header), visible=table.header is not None),
            self.about_input: markup.message(" ".join(found)),
        }

    def open_job(self, request: gr.Request) -> Update:
        """Answer at once, because the run may have to wait for another one."""
        self.jobs.open(visitor_of(request))
        waiting = markup.message("Waiting for a free place: one table is classified at a time.")
        return {self.progress: waiting, **self.set_running(True)}

    def set_running(self, running: bool) -> Update:
        """Let the visitor start while nothing runs, and cancel while something does."""
        return {
            self.go: gr.update(interactive=not running),
            self.cancel: gr.update(interactive=running),
        }

    def stop_job(self, request: gr.Request) -> str:
        """Ask the run to stop; it writes what is done."""
        stopped = self.jobs.stop(visitor_of(request))
        return markup.message("Cancelling." if stopped else "Nothing is running.")

    def classify(
        self,
        pasted: str,
        path: str | None,
        column: str | None,
        header: bool,
        old: Result | None,
        request: gr.Request,
    ) -> Iterator[Update]:
        """Classify what is pasted or uploaded, showing how far it is, and offer the results."""
        visitor = visitor_of(request)
        try:
            table, chosen = read_input(pasted, path, column, header)
            run = Run(self.model.classifier, table, chosen)
            started = time.perf_counter()
            yield {self.progress: markup.progress(0, run.total, 0)}
            for seconds in self._advance(run, visitor, started):
                yield {self.progress: markup.progress(run.done, run.total, seconds)}
            seconds = time.perf_counter() - started
            sweep(RESULTS, KEEP_SECONDS)
            RESULTS.mkdir(exist_ok=True)
            result = run.write(Path(tempfile.mkdtemp(dir=RESULTS)), self.model.doubt.threshold)
        except UnreadableFile as error:
            yield {self.progress: markup.message(str(error), "error")}
            return
        finally:
            stopped = self.jobs.is_stopped(visitor)
            self.jobs.close(visitor)
        if old is not None:
            discard(old)
        yield self._show(result, seconds, stopped)

    def _advance(self, run: Run, visitor: str, started: float) -> Iterator[float]:
        """Run to the end or until the visitor cancels, yielding the seconds so far now and then."""
        shown = started
        if self.jobs.is_stopped(visitor):
            return
        for _ in run.steps():
            if self.jobs.is_stopped(visitor):
                return
            now = time.perf_counter()
            if now - shown >= REFRESH_SECONDS:
                shown = now
                yield now - started

    def _show(self, result: Result, seconds: float, stopped: bool) -> Update:
        return {
            **self.turn_page(result, "all rows", "", "as uploaded"),
            self.progress: markup.outcome(result, seconds, stopped),
            self.results: gr.update(visible=True),
            self.summary: markup.summary(result),
            self.result: result,
            self.csv: str(result.csv),
            self.parquet: str(result.parquet),
            self.show: "all rows",
            self.order: "as uploaded",
            self.contains: "",
        }

    def turn_page(
        self, result: Result | None, show: str, contains: str, order: str, page: int = 1, step: int = 0
    ) -> Update:
        """Show the page `step` further, filtered and sorted over all rows."""
        if result is None or not result.parquet.exists():
            gone = markup.message("These results are no longer kept: classify again.", "error")
            return {self.table: gone, self.page: 1}
        found = read_page(result, show, contains, order, page + step)
        return {
            self.table: markup.page_table(found, self.model.labels),
            self.page: found.page,
            self.previous: gr.update(interactive=found.page > 1),
            self.next: gr.update(interactive=found.page < found.pages),
        }


def visitor_of(request: gr.Request) -> str:
    """Return what tells one open page from another."""
    return str(request.session_hash)


def read_input(pasted: str, path: str | None, column: str | None, header: bool) -> tuple[Table, str]:
    """Return the table and its text column; UnreadableFile when there is none or the column is gone."""
    if path is None:
        table = read_lines(pasted)
        if not table.rows:
            raise UnreadableFile("There is nothing to classify yet: paste lines or choose a file.")
        return table, "text"
    table = read_table(
        Path(path), header if Path(path).suffix.lower() in (".csv", ".tsv", ".txt", ".xlsx") else None
    )
    chosen = column if column in table.columns else guess_column(table)
    return table, chosen


def discard(result: Result) -> None:
    """Delete the files of a result that nobody can see any more."""
    shutil.rmtree(result.parquet.parent, ignore_errors=True)


def sweep(folder: Path, seconds: float) -> None:
    """Delete the results in a folder that are older than that; visitors leave without saying so."""
    for old in folder.glob("*"):
        if time.time() - old.stat().st_mtime > seconds:
            shutil.rmtree(old, ignore_errors=True)

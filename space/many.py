"""The tab for many texts: paste or upload, classify with progress, look through, download."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import gradio as gr

import markup
from batch import BatchRun, Result
from jobs import Jobs, visitor_of
from kept_files import KEEP_SECONDS, discard, make_folder
from model import Model
from result_pages import filters, orders, read_page
from table import MEGABYTE, MOST_BYTES, MOST_ROWS, Table, UnreadableFile, guess_column, load_table, read_lines
from uploads import AT_ONCE, SUFFIXES, Upload, read_upload
from words import phrase

REFRESH_SECONDS = 0.3
HIDDEN = "hidden"  # Gradio 6.17.3 never shows again what was hidden with False before it was seen
Update = dict[Any, Any]


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
        self.upload = gr.State(None, time_to_live=KEEP_SECONDS)
        with gr.Row():
            self.pasted = gr.Textbox(
                label=phrase("many_label", self.model.unit),
                lines=7,
                max_lines=12,
                elem_id="lines",
                placeholder="\n".join(one.text for one in self.model.examples[:2]),
            )
            with gr.Column():
                self._add_file()
        limits = (
            f"Up to {MOST_ROWS:,} rows and {MOST_BYTES // MEGABYTE} MB; a file counts before pasted lines."
        )
        self.about_input = gr.HTML(markup.message(limits), elem_id="about-input", padding=False)
        with gr.Row(elem_classes="fs-buttons"):
            self.go = gr.Button(phrase("classify_all"), variant="primary", elem_id="classify-all", scale=0)
            self.cancel = gr.Button(phrase("cancel"), elem_id="cancel", scale=0, interactive=False)

    def _add_file(self) -> None:
        self.file = gr.File(
            label="or a file: CSV, JSONL, Parquet, XLSX",
            file_types=list(SUFFIXES),
            height=180,
            elem_id="file",
        )
        self.column = gr.Dropdown(
            label=phrase("column", self.model.unit), visible=HIDDEN, elem_id="column", interactive=True
        )
        self.header = gr.Checkbox(
            label="The first row names the columns", visible=HIDDEN, elem_id="header", interactive=True
        )

    def _add_outputs(self) -> None:
        self.progress = gr.HTML(elem_id="progress", padding=False)
        self.result = gr.State(None, time_to_live=KEEP_SECONDS)
        self.page = gr.State(1)
        with gr.Column(visible=False, elem_id="results") as self.results:
            self.summary = gr.HTML(elem_id="summary", padding=False)
            with gr.Row(elem_classes="fs-buttons"):
                self.csv = gr.DownloadButton(phrase("download_csv"), elem_id="csv", scale=0)
                self.parquet = gr.DownloadButton("Download Parquet", elem_id="parquet", scale=0)
            gr.HTML(
                '<p class="fs-quiet">In the CSV an apostrophe precedes cells that a spreadsheet would '
                "run as a formula; the Parquet file has every text as it was.</p>",
                padding=False,
            )
            self._add_view()

    def _add_view(self) -> None:
        with gr.Row():
            self.show = gr.Dropdown(self.filters, value="all rows", label="Show", elem_id="show")
            self.order = gr.Dropdown(list(self.orders), value="as uploaded", label="Sort", elem_id="order")
            self.contains = gr.Textbox(label="Text contains", elem_id="contains")
        self.table = gr.HTML(elem_id="table", padding=False)
        with gr.Row(elem_classes="fs-buttons"):
            self.previous = gr.Button("Previous page", size="sm", scale=0, elem_id="previous")
            self.next = gr.Button("Next page", size="sm", scale=0, elem_id="next")

    def _connect(self) -> None:
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        # files are read beside each other, so that a slow one holds up no other visitor
        reading = {"concurrency_id": "read", "concurrency_limit": AT_ONCE, **quiet}
        described = [self.upload, self.column, self.header, self.about_input]
        self.file.change(self.describe_file, [self.upload, self.file], described, **reading)
        self.header.input(self.describe_file, [self.upload, self.file, self.header], described, **reading)
        buttons = [self.go, self.cancel]
        opened = self.go.click(self.open_job, None, [self.progress, *buttons], queue=False, **quiet)
        read = opened.then(self.read_file, [self.upload, self.file, self.header], self.upload, **reading)
        classified = read.then(
            self.classify,
            [self.pasted, self.upload, self.column, self.result],
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
        self._connect_view({"concurrency_id": "look", "concurrency_limit": 1, **quiet})

    def _connect_view(self, look: dict[str, Any]) -> None:
        view = [self.result, self.show, self.contains, self.order]
        shown = [self.table, self.page, self.previous, self.next]
        for event in (self.show.input, self.order.input, self.contains.change):
            event(self.turn_page, view, shown, trigger_mode="always_last", **look)
        for button, step in ((self.previous, -1), (self.next, 1)):
            button.click(partial(self.turn_page, step=step), [*view, self.page], shown, **look)

    def describe_file(self, old: Upload | None, path: str | None, header: bool | None = None) -> Update:
        """Read an upload as soon as it is there: offer its columns, the likely one first."""
        if old is not None:
            discard(old.table.parent)
        hidden = {self.column: gr.update(visible=HIDDEN), self.header: gr.update(visible=HIDDEN)}
        if path is None:
            said = markup.message("No file: pasted lines are taken.")
            return {**hidden, self.upload: None, self.about_input: said}
        upload = read_upload(path, header, make_folder())
        if upload.problem:
            return {**hidden, self.upload: upload, self.about_input: markup.message(upload.problem, "error")}
        return {
            self.upload: upload,
            self.column: gr.update(choices=upload.columns, value=upload.column, visible=True),
            self.header: gr.update(
                value=bool(upload.header), visible=HIDDEN if upload.header is None else True
            ),
            self.about_input: markup.message(" ".join(describe_upload(upload))),
        }

    def read_file(self, known: Upload | None, path: str | None, header: bool) -> Upload | None:
        """Return the file, read again only where it is not known yet; None without a file."""
        if path is None:
            return None
        if known is not None and known.answers(path, header):
            return known
        if known is not None:
            discard(known.table.parent)
        return read_upload(path, header, make_folder())

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
        self, pasted: str, upload: Upload | None, column: str | None, old: Result | None, request: gr.Request
    ) -> Iterator[Update]:
        """Classify what is pasted or uploaded, showing how far it is, and offer the results."""
        visitor = visitor_of(request)
        try:
            table, chosen = choose_input(pasted, upload, column)
            run = BatchRun(self.model.classifier, table, chosen)
            started = time.perf_counter()
            yield {self.progress: markup.progress(0, run.total, 0)}
            for seconds in self._advance(run, visitor, started):
                yield {self.progress: markup.progress(run.done, run.total, seconds)}
            seconds = time.perf_counter() - started
            result = run.write(make_folder(), self.model.doubt.threshold)
        except UnreadableFile as error:
            yield {self.progress: markup.message(str(error), "error")}
            return
        finally:
            stopped = self.jobs.is_stopped(visitor)
            self.jobs.close(visitor)
        if old is not None:
            discard(old.parquet.parent)
        yield self._show(result, seconds, stopped)

    def _advance(self, run: BatchRun, visitor: str, started: float) -> Iterator[float]:
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
            self.summary: markup.summary(result, self.model.marks),
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
            gone = markup.message("These results have been deleted: classify again.", "error")
            return {self.table: gone, self.page: 1}
        found = read_page(result, show, contains, order, page + step)
        return {
            self.table: markup.page_table(found, self.model.marks),
            self.page: found.page,
            self.previous: gr.update(interactive=found.page > 1),
            self.next: gr.update(interactive=found.page < found.pages),
        }


def describe_upload(upload: Upload) -> list[str]:
    """Return what is said of a file that was read, as sentences."""
    found = [f"{markup.row_count(upload.rows)}, {len(upload.columns)} columns."]
    if upload.bad_rows:
        found.append(f"With a problem, kept and marked: {markup.row_count(upload.bad_rows)}.")
    return [*found, f"First of “{upload.column}”: {upload.first}", *upload.notes]


def choose_input(pasted: str, upload: Upload | None, column: str | None) -> tuple[Table, str]:
    """Return the table and its text column; UnreadableFile if there is none or the column is gone."""
    if upload is None:
        table = read_lines(pasted)
        if not table.rows:
            raise UnreadableFile("There is nothing to classify yet: paste lines or choose a file.")
        return table, "text"
    if upload.problem:
        raise UnreadableFile(upload.problem)
    if not upload.table.is_file():
        raise UnreadableFile("The file has been deleted: choose it again.")
    table = load_table(upload.table)
    return table, column if column in table.columns else guess_column(table)

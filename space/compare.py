"""The tab that sets the full file and the quantized one side by side on the same text."""

from __future__ import annotations

import time
from functools import partial
from statistics import median

import gradio as gr
from inference.classifier import Classifier

import markup
from model import Model
from one import find_refusal
from words import phrase

RUNS = 7


def add_compare(model: Model) -> None:
    """Add the tab's components and events to the Blocks that is open."""
    text = gr.Textbox(label=phrase("compare_label", model.unit), lines=1, max_lines=5, elem_id="compare-text")
    with gr.Row(elem_classes="fs-buttons"):
        go = gr.Button("Compare", variant="primary", elem_id="compare", scale=0)
    found = gr.HTML(elem_id="comparison", padding=False)
    gr.on(
        [go.click, text.submit],
        partial(show_comparison, model),
        text,
        found,
        concurrency_id="quick",
        concurrency_limit=2,
        show_progress="hidden",
        api_visibility="private",
    )


def show_comparison(model: Model, text: str) -> str:
    """Return both answers, times and sizes as HTML."""
    if problem := find_refusal(text):
        return markup.message(problem, "error")
    if not model.has_full:
        return markup.message(f"This release has one file only, {model.file}: there is nothing to compare.")
    halves = [
        _half(model, model.full(), "Full precision, the same answers as PyTorch", text),
        _half(model, model.classifier, "Quantized, the one that answers here", text),
    ]
    return f'<div class="fs-pair">{"".join(halves)}</div>'


def _half(model: Model, classifier: Classifier, name: str, text: str) -> str:
    """Return the half of one file: what it is, its size, its answer and the median time of RUNS calls."""
    prediction, took = classifier(text), []
    for _ in range(RUNS):
        started = time.perf_counter()
        classifier(text)
        took.append((time.perf_counter() - started) * 1000)
    size = classifier.file.stat().st_size / 1e6
    about = f"{name}: {classifier.file.relative_to(model.folder)}, {size:.1f} MB"
    return f"<div>{markup.answer(prediction, model.marks, model.doubt, median(took), about)}</div>"

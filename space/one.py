"""The tab for one text: the answer first, then the words that decided. It opens with the first example."""

from __future__ import annotations

import time
from functools import partial

import gradio as gr
from inference.explain import METHODS, Method, explain

import markup
from batch import MOST_CHARACTERS
from model import Model
from words import phrase


def add_one(model: Model) -> None:
    """Add the tab's components and events to the Blocks that is open."""
    first = model.examples[0].text if model.examples else ""
    text = gr.Textbox(
        first,
        label=phrase("one_label", model.unit),
        info=phrase("one_hint"),
        placeholder=first,
        lines=1,
        max_lines=5,
        elem_id="text",
    )
    with gr.Row(elem_classes="fs-buttons"):
        go = gr.Button(phrase("classify"), variant="primary", elem_id="classify", scale=0)
        pair = gr.Button(phrase("pair"), elem_id="pair", scale=0, visible=model.pair is not None)
    examples = _add_examples(model)
    method = gr.Radio(
        [(phrase(name.replace("-", "_")), name) for name in METHODS],
        value=next(iter(METHODS)),
        label=phrase("method"),
        elem_id="method",
    )
    opening = show_answer(model, first)[0] if first else ""
    answer = gr.HTML(opening, elem_id="answer", padding=False)
    words = gr.HTML(show_words(model, first), elem_id="words", padding=False)
    quick = {"concurrency_id": "quick", "concurrency_limit": 2, "api_visibility": "private"}
    quiet = {"show_progress": "hidden", **quick}
    show, why = partial(show_answer, model), partial(show_words, model)
    asked = [text, method]
    gr.on([go.click, text.submit], show, text, [answer, words], **quiet).then(why, asked, words, **quiet)
    method.change(why, asked, words, **quiet)
    pair.click(partial(show_pair, model), None, [answer, words], **quiet)
    for button, example in zip(examples, model.examples, strict=True):
        chosen = button.click(lambda one=example.text: one, None, text, queue=False, api_visibility="private")
        chosen.then(show, text, [answer, words], **quiet).then(why, asked, words, **quiet)


def _add_examples(model: Model) -> list[gr.Button]:
    if not model.examples:
        return []
    with gr.Row(elem_classes="fs-buttons", elem_id="examples"):
        return [gr.Button(one.title, size="sm", scale=0, min_width=80) for one in model.examples]


def show_answer(model: Model, text: str) -> tuple[str, str]:
    """Return the answer to a text as HTML, and nothing for the words, which come later."""
    if problem := find_refusal(text):
        return markup.message(problem, "error"), ""
    started = time.perf_counter()
    prediction = model.classifier(text)
    return markup.answer(prediction, model.marks, model.doubt, (time.perf_counter() - started) * 1000), ""


def show_words(model: Model, text: str, method: Method = "leave-one-out") -> str:
    """Return the text with the words that decided as HTML; nothing for a text that was refused."""
    return "" if find_refusal(text) else markup.words(explain(model.classifier, text, method))


def show_pair(model: Model) -> tuple[str, str]:
    """Return both answers of the hard pair side by side, below what is hard about it; nothing without one."""
    if model.pair is None:
        return "", ""
    note = f'<p class="fs-quiet">{markup.escape(model.pair.note)}</p>' if model.pair.note else ""
    halves = "".join(_show_half(model, text) for text in model.pair.texts)
    return f'{note}<div class="fs-pair">{halves}</div>', ""


def _show_half(model: Model, text: str) -> str:
    started = time.perf_counter()
    prediction = model.classifier(text)
    took = (time.perf_counter() - started) * 1000
    reasons = markup.words(explain(model.classifier, text))
    return f"<div>{markup.answer(prediction, model.marks, model.doubt, took, text)}{reasons}</div>"


def find_refusal(text: str) -> str | None:
    """Say why a text is not classified; None when it is."""
    if not text.strip():
        return phrase("refused_empty")
    if len(text) > MOST_CHARACTERS:
        return phrase("refused_long", count=f"{len(text):,}", most=f"{MOST_CHARACTERS:,}")
    return None

"""The tab that says what the model is, how good it was found to be, and what it is not for."""

from __future__ import annotations

from typing import Any

import markup
from client_code import client_code
from markup import escape
from model import Model


def describe(model: Model, address: str) -> str:
    """Return the tab as HTML; `address` is where the visitor reached it, for the code."""
    card = model.card
    parts = [
        f"<p>{escape(model.summary)}</p>",
        f"<p><b>{escape(model.notice)}</b></p>" if model.notice else "",
        _source(model),
        _figures(model),
        markup.bullets("What the labels mean", _meanings(card)),
        markup.bullets("Limits", card.get("limits") or []),
        markup.bullets("Not for", card.get("out_of_scope") or []),
        f"<h3>When an answer counts as unsure</h3><p>{escape(markup.doubt_words(model.doubt))}</p>",
        "<h3>Use it from code</h3>",
        *(
            f"<p>{escape(name)}</p><pre tabindex='0'>{escape(code)}</pre>"
            for name, code in client_code(address, model).items()
        ),
    ]
    return f'<div class="fs-about">{"".join(parts)}</div>'


def heading(model: Model) -> str:
    """Return the name of the model, safe to stand in a heading."""
    return escape(model.title)


def _source(model: Model) -> str:
    figures = model.metrics
    facts = [f"Version {figures['version']}, made {figures['created']}."] if figures else []
    if figures.get("licence"):
        facts.append(f"Licence: {figures['licence']}.")
    said = escape(" ".join(facts))
    if model.page is None:
        return f"<p>Model: {escape(model.name)}, a local folder. {said}</p>"
    link = f'<a href="{escape(model.page)}" rel="noopener">{escape(model.name)}</a>'
    return f"<p>Model: {link} at commit {escape(str(model.commit)[:12])}. {said}</p>"


def _meanings(card: dict[str, Any]) -> list[str]:
    return [f"{label}: {meaning}" for label, meaning in (card.get("label_meanings") or {}).items()]


def _figures(model: Model) -> str:
    variants = model.metrics.get("variants", [])
    if not variants:
        return "<p>This folder has no metrics.json, so there are no figures to show.</p>"
    rows = [_row(variant) for variant in variants]
    heads = ["File", "Size", "Accuracy (95 % interval)", "Macro F1 (95 % interval)", "ECE", "Median time"]
    caption = f"Measured on {variants[0]['scores']['n']:,} test rows"
    protocol = escape(str(model.metrics.get("protocol", "")))
    table = markup.rows_table(heads, rows, caption)
    return f'<h3>Figures</h3>{table}<p class="fs-quiet">{protocol}</p>'


def _row(variant: dict[str, Any]) -> list[str]:
    scores = variant["scores"]
    return [
        variant["file"],
        f"{variant['bytes'] / 1e6:.1f} MB",
        _with_interval(scores["accuracy"], scores["accuracy_interval"]),
        _with_interval(scores["macro_f1"], scores["macro_f1_interval"]),
        f"{scores['ece']:.3f}",
        f"{variant['timing']['p50_ms']:.2f} ms",
    ]


def _with_interval(value: float, interval: dict[str, float]) -> str:
    return f"{markup.percent(value)} ({interval['low'] * 100:.1f} to {interval['high'] * 100:.1f})"

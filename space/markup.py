"""What the demo shows, as HTML. Every text that is not ours goes through `escape`, so none is run as HTML."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from inference.classifier import Prediction, replace_surrogates
from inference.explain import Explanation, Word

from batch import Result
from marks import Mark, Marks, unsure_mark
from model import Doubt
from result_pages import Line, Page
from words import begin, phrase

SHOWN_CHARACTERS = 300  # of a text in a table
VISIBLE_EFFECT = 0.005  # half a percentage point: less is rounded away anyway


def escape(text: str) -> str:
    """Return a text as HTML that shows it; a lone surrogate, which cannot be sent, becomes `?`."""
    return html.escape(replace_surrogates(text))


def percent(share: float) -> str:
    """Return a share 0..1 as text, such as 84.9 %."""
    return f"{share * 100:.1f} %"


def message(text: str, kind: str = "note") -> str:
    """Return a line that screen readers announce; `kind` is note or error."""
    role = "alert" if kind == "error" else "status"
    word = f"<b>{phrase('refused')}</b> " if kind == "error" else ""
    return f'<p class="fs-message fs-{kind}" role="{role}">{word}{escape(text)}</p>'


def answer(prediction: Prediction, marks: Marks, doubt: Doubt, milliseconds: float, title: str = "") -> str:
    """Return the answer to one text: label, bars in the model's order, and whether it can be believed."""
    unsure = prediction.score < doubt.threshold
    heading = f'<p class="fs-text">{escape(title)}</p>' if title else ""
    meant = doubt_words(doubt) if unsure else phrase("calibrated")
    took = phrase("took", milliseconds=f"{milliseconds:.1f}")
    mark = unsure_mark() if unsure else marks[prediction.label]
    found = _verdict(prediction, mark, unsure) + bars(prediction.scores, marks)
    return f'<div class="fs-answer">{heading}{found}<p class="fs-quiet">{escape(meant)} {took}</p></div>'


def _verdict(prediction: Prediction, mark: Mark, unsure: bool) -> str:
    said = phrase("verdict_unsure", label=prediction.label) if unsure else begin(prediction.label)
    return (
        f'<p class="fs-verdict fs-{mark.kind}" role="status"><span aria-hidden="true">{mark.sign}</span> '
        f"{escape(said)} <small>{percent(prediction.score)}</small></p>"
    )


def doubt_words(doubt: Doubt) -> str:
    """Say what the threshold rests on; the static page says the same."""
    if doubt.target is not None and doubt.rows is None:
        return phrase("doubt_always", target=percent(doubt.target))
    threshold = percent(doubt.threshold)
    if doubt.right is None or doubt.rows is None:
        return phrase("doubt_unmeasured", threshold=threshold)
    lower = phrase("doubt_lower", threshold=threshold, rows=f"{doubt.rows:,}", right=percent(doubt.right))
    if doubt.coverage is None or doubt.error is None:
        return phrase("doubt_from_reliability", lower=lower)
    return phrase(
        "doubt_from_card", lower=lower, coverage=percent(doubt.coverage), error=percent(doubt.error)
    )


def bars(shares: Mapping[str, float], marks: Marks, amounts: Mapping[str, str] | None = None) -> str:
    """Return a bar with its name and its number for each label; shares are 0..1."""
    rows = [
        _bar(label, marks[label], share, (amounts or {}).get(label) or percent(share))
        for label, share in shares.items()
    ]
    caption = f"<caption class='fs-hidden'>{phrase('shares')}</caption>"
    return f"<table class='fs-bars'>{caption}{''.join(rows)}</table>"


def _bar(label: str, mark: Mark, share: float, amount: str) -> str:
    return (
        f"<tr><th scope='row'>{_marked(label, mark)}</th><td class='fs-track'><span "
        f"class='fs-bar fs-{mark.kind}' style='width:{share * 100:.1f}%'></span></td>"
        f"<td class='fs-number'>{escape(amount)}</td></tr>"
    )


def _marked(label: str, mark: Mark) -> str:
    """Return a label behind its sign, so that no colour means anything alone."""
    return f"<span class='fs-sign fs-{mark.kind}' aria-hidden='true'>{mark.sign}</span> {escape(label)}"


def words(explanation: Explanation) -> str:
    """Return the text with the words that decided marked: sign and percentage points under each."""
    shown = "".join(_word(word) for word in explanation.words)
    title = phrase("words_title", label=explanation.label)
    if explanation.orders is None:
        note = phrase("words_note", label=explanation.label)
    else:
        note = phrase("shapley_note", label=explanation.label, orders=str(explanation.orders))
    return (
        f'<div class="fs-explanation"><h3>{escape(title)}</h3><p class="fs-words">{shown}</p>'
        f'<p class="fs-quiet">{escape(note)}</p></div>'
    )


def _word(word: Word) -> str:
    text = escape(word.text)
    if word.effect is None or abs(word.effect) < VISIBLE_EFFECT:
        return f"<span class='fs-word'>{text}</span> "
    side, plus = ("for", "+") if word.effect > 0 else ("against", "−")
    strength = min(5, 1 + int(abs(word.effect) * 10))
    points = f"{plus}{abs(word.effect) * 100:.0f}"
    return f"<span class='fs-word fs-{side} fs-strength-{strength}'>{text}<sub>{points}</sub></span> "


def progress(done: int, total: int, seconds: float) -> str:
    """Return how far a run is, with the time that is left at the speed so far."""
    values = {"done": f"{done:,}", "total": f"{total:,}"}
    if done and seconds > 1:
        said = phrase("progress_left", **values, seconds=f"{(total - done) * seconds / done:.0f}")
    else:
        said = phrase("progress", **values)
    return (
        f'<div class="fs-progress"><label>{said}'
        f'<progress max="{max(total, 1)}" value="{done}"></progress></label></div>'
    )


def row_count(count: int) -> str:
    """Return how many rows, as a person says it."""
    return phrase("row" if count == 1 else "rows", count=f"{count:,}")


def outcome(result: Result, seconds: float, stopped: bool) -> str:
    """Say how a run ended."""
    kept = result.rows - result.done
    values = {"rows": row_count(result.done), "seconds": f"{seconds:.1f}", "unsure": f"{result.unsure:,}"}
    values["kept"] = phrase("kept", count=f"{kept:,}") if kept else ""
    return message(phrase("cancelled" if stopped else "done", **values))


def summary(result: Result, marks: Marks) -> str:
    """Return the distribution of the labels over a run."""
    shares = {label: count / max(1, result.done) for label, count in result.counts.items()}
    amounts = {label: f"{result.counts[label]:,} · {percent(share)}" for label, share in shares.items()}
    return f'<div class="fs-summary">{bars(shares, marks, amounts)}</div>'


def page_table(page: Page, marks: Marks) -> str:
    """Return a page of results as a table."""
    names = [phrase(f"column_{name}") for name in ("row", "text", "label")]
    shares = [escape(phrase("column_share", label=label)) for label in marks]
    head = "".join(f"<th scope='col'>{name}</th>" for name in names)
    head += "".join(f"<th scope='col' class='fs-number'>{name}</th>" for name in shares)
    body = "".join(_line(line, marks) for line in page.lines)
    total = f"{row_count(page.total)}, page {page.page:,} of {page.pages:,}"
    table = f"<table class='fs-table fs-results'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<p class='fs-quiet' role='status'>{total}</p>{_scroll(phrase('results'), table)}"


def _line(line: Line, marks: Marks) -> str:
    text = escape(line.text[:SHOWN_CHARACTERS] + "…" * (len(line.text) > SHOWN_CHARACTERS))
    start = f"<tr><td>{line.number:,}</td><td>{text}</td>"
    if line.label is None:
        said = escape(phrase("problem", problem=line.problem or ""))
        return f"{start}<td colspan='{len(marks) + 1}' class='fs-problem'>{said}</td></tr>"
    label = _marked(line.label, marks[line.label])
    label += f" <small>{phrase('unsure')}</small>" if line.unsure else ""
    numbers = "".join(f"<td class='fs-number'>{share or 0:.3f}</td>" for share in line.shares)
    return f"{start}<td>{label}</td>{numbers}</tr>"


def rows_table(heads: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    """Return a plain table; the first cell of a row names it."""
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in heads)
    body = "".join(_row(row) for row in rows)
    table = f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return _scroll(caption, f"<table class='fs-table'>{table}</table>")


def _row(row: Sequence[str]) -> str:
    cells = "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
    return f"<tr><th scope='row'>{escape(row[0])}</th>{cells}</tr>"


def _scroll(name: str, table: str) -> str:
    """Put a wide table where it can be scrolled, with the keyboard too."""
    return f"<div class='fs-scroll' tabindex='0' role='region' aria-label='{escape(name)}'>{table}</div>"


def bullets(title: str, items: Sequence[str]) -> str:
    """Return a list under a heading; nothing when there are no items."""
    listed = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<h3>{escape(title)}</h3><ul>{listed}</ul>" if items else ""

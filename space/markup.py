"""What the demo shows, as HTML. Every text that is not ours goes through `escape`, so none is run as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from inference.classifier import Prediction
from inference.explain import Explanation, Word

from model import Doubt
from results import Line, Page, Result

SIGNS = {"low": "▼", "mid": "■", "high": "▲"}
SHOWN_CHARACTERS = 300  # of a text in a table
VISIBLE_EFFECT = 0.005  # half a percentage point: less is rounded away anyway


def tone(labels: Sequence[str], label: str) -> str:
    """Return low, mid or high: the first label, those between, and the last one, whatever they are called."""
    index = labels.index(label)
    return "low" if index == 0 else "high" if index == len(labels) - 1 else "mid"


def percent(share: float) -> str:
    """Return a share 0..1 as text, such as 84.9 %."""
    return f"{share * 100:.1f} %"


def message(text: str, kind: str = "note") -> str:
    """Return a line that screen readers announce; `kind` is note or error."""
    role = "alert" if kind == "error" else "status"
    word = "<b>Not done.</b> " if kind == "error" else ""
    return f'<p class="fs-message fs-{kind}" role="{role}">{word}{escape(text)}</p>'


def answer(prediction: Prediction, doubt: Doubt, milliseconds: float, title: str = "") -> str:
    """Return the answer to one text: label, bars in the model's order, and whether it can be believed."""
    labels = list(prediction.scores)
    kind = tone(labels, prediction.label)
    unsure = prediction.score < doubt.threshold
    verdict = f"Unsure, perhaps {prediction.label}" if unsure else prediction.label.capitalize()
    sign = "?" if unsure else SIGNS[kind]
    heading = f'<p class="fs-text">{escape(title)}</p>' if title else ""
    return (
        f'<div class="fs-answer">{heading}'
        f'<p class="fs-verdict fs-{"unsure" if unsure else kind}" role="status">'
        f'<span aria-hidden="true">{sign}</span> {escape(verdict)} '
        f"<small>{percent(prediction.score)}</small></p>"
        f"{bars(prediction.scores)}"
        f'<p class="fs-quiet">{escape(doubt_words(doubt)) if unsure else "Calibrated probabilities."} '
        f"Took {milliseconds:.1f} ms.</p></div>"
    )


def doubt_words(doubt: Doubt) -> str:
    """Say what the threshold rests on; the static page says the same."""
    if doubt.target is not None and doubt.rows is None:
        return (
            "Every answer counts as unsure: on the validation headlines no threshold was found above which "
            f"at most {percent(doubt.target)} are wrong."
        )
    if doubt.right is None or doubt.rows is None:
        return f"Answers below {percent(doubt.threshold)} count as unsure."
    lower = (
        f"Unsure below {percent(doubt.threshold)}: of the {doubt.rows:,} test headlines that scored lower, "
        f"{percent(doubt.right)} were right"
    )
    if doubt.coverage is None or doubt.error is None:
        return f"{lower}. The card of this release names no threshold; this one is read off its reliability."
    return (
        f"{lower}; of the others, {percent(doubt.coverage)} of all, {percent(doubt.error)} were wrong. "
        "It is the threshold of the model card."
    )


def bars(shares: Mapping[str, float], amounts: Mapping[str, str] | None = None) -> str:
    """Return a bar with its name and its number for each label; shares are 0..1."""
    labels = list(shares)
    rows = [
        _bar(label, tone(labels, label), share, (amounts or {}).get(label) or percent(share))
        for label, share in shares.items()
    ]
    caption = "<caption class='fs-hidden'>Share of each label</caption>"
    return f"<table class='fs-bars'>{caption}{''.join(rows)}</table>"


def _bar(label: str, kind: str, share: float, amount: str) -> str:
    return (
        f"<tr><th scope='row'><span class='fs-sign fs-{kind}' aria-hidden='true'>{SIGNS[kind]}</span> "
        f"{escape(label)}</th><td class='fs-track'><span class='fs-bar fs-{kind}' "
        f"style='width:{share * 100:.1f}%'></span></td><td class='fs-number'>{escape(amount)}</td></tr>"
    )


def words(explanation: Explanation) -> str:
    """Return the text with the words that decided marked: sign and percentage points under each."""
    shown = "".join(_word(word) for word in explanation.words)
    label = escape(explanation.label)
    return (
        f'<div class="fs-explanation"><h3>Which words decided for “{label}”</h3>'
        f'<p class="fs-words">{shown}</p>'
        f'<p class="fs-quiet">Each word was left out in turn. The number says by how many percentage points '
        f"the probability of “{label}” is lower (+) or higher (−) without it. Words act together, so the "
        f"numbers need not add up.</p></div>"
    )


def _word(word: Word) -> str:
    text = escape(word.text)
    if word.effect is None or abs(word.effect) < VISIBLE_EFFECT:
        return f"<span class='fs-word'>{text}</span> "
    side, sign = ("for", "+") if word.effect > 0 else ("against", "−")
    strength = min(5, 1 + int(abs(word.effect) * 10))
    points = f"{sign}{abs(word.effect) * 100:.0f}"
    return f"<span class='fs-word fs-{side} fs-strength-{strength}'>{text}<sub>{points}</sub></span> "


def progress(done: int, total: int, seconds: float) -> str:
    """Return how far a run is, with the time that is left at the speed so far."""
    left = f", {(total - done) * seconds / done:.0f} s left" if done and seconds > 1 else ""
    return (
        f'<div class="fs-progress"><label>{done:,} of {total:,} rows{left}'
        f'<progress max="{max(total, 1)}" value="{done}"></progress></label></div>'
    )


def row_count(count: int) -> str:
    """Return how many rows, as a person says it."""
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


def outcome(result: Result, seconds: float, stopped: bool) -> str:
    """Say how a run ended."""
    kept = result.rows - result.done
    parts = [f"{row_count(result.done)} classified in {seconds:.1f} s", f"{result.unsure:,} of them unsure"]
    parts += [f"{kept:,} kept without an answer"] if kept else []
    return message(f"{'Cancelled' if stopped else 'Done'}: {'; '.join(parts)}.")


def summary(result: Result) -> str:
    """Return the distribution of the labels over a run."""
    shares = {label: count / max(1, result.done) for label, count in result.counts.items()}
    amounts = {label: f"{result.counts[label]:,} · {percent(share)}" for label, share in shares.items()}
    return f'<div class="fs-summary">{bars(shares, amounts)}</div>'


def page_table(page: Page, labels: Sequence[str]) -> str:
    """Return a page of results as a table."""
    head = "".join(f"<th scope='col'>{name}</th>" for name in ("row", "text", "label"))
    head += "".join(f"<th scope='col' class='fs-number'>p {escape(label)}</th>" for label in labels)
    body = "".join(_line(line, labels) for line in page.lines)
    total = f"{row_count(page.total)}, page {page.page:,} of {page.pages:,}"
    table = f"<table class='fs-table fs-results'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<p class='fs-quiet' role='status'>{total}</p>{_scroll('Results', table)}"


def _line(line: Line, labels: Sequence[str]) -> str:
    text = escape(line.text[:SHOWN_CHARACTERS] + "…" * (len(line.text) > SHOWN_CHARACTERS))
    if line.label is None:
        said = (
            f"<td colspan='{len(labels) + 1}' class='fs-problem'>problem: {escape(line.problem or '')}</td>"
        )
        return f"<tr><td>{line.number:,}</td><td>{text}</td>{said}</tr>"
    kind = tone(labels, line.label)
    label = f"<span class='fs-sign fs-{kind}' aria-hidden='true'>{SIGNS[kind]}</span> {escape(line.label)}"
    label += " <small>unsure</small>" if line.unsure else ""
    numbers = "".join(f"<td class='fs-number'>{share or 0:.3f}</td>" for share in line.shares)
    return f"<tr><td>{line.number:,}</td><td>{text}</td><td>{label}</td>{numbers}</tr>"


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

"""How the card writes values: the roundings of figures, and text that must not break Markdown."""

from __future__ import annotations

import json
import re
import shlex

from finsent.scoring import Interval

LONGEST_QUOTE = 160  # characters of a test row that a table shows


def percent(share: float) -> str:
    """Write a share 0..1 as percent with one decimal."""
    return f"{100 * share:.1f} %"


def points(share: float) -> str:
    """Write a difference of two shares as percentage points."""
    return f"{100 * share:.1f}"


def interval(bounds: Interval) -> str:
    """Write an interval of shares in percent."""
    return f"{100 * bounds.low:.1f} to {100 * bounds.high:.1f}"


def decimal(value: float, places: int = 3) -> str:
    """Write a number with a fixed count of decimals."""
    return f"{value:.{places}f}"


def short(value: float) -> str:
    """Write a number that a person chose, as briefly as it can be."""
    return f"{value:g}"


def tiny(value: float) -> str:
    """Write a difference that may be very small: plain from 0.0001, else as a power of ten."""
    return "0" if value == 0 else f"{value:.4f}" if abs(value) >= 1e-4 else f"{value:.1e}"


def thousands(count: int) -> str:
    """Write a count with separators."""
    return f"{count:,}"


def megabytes(size: int) -> str:
    """Write bytes as megabytes of 10^6 bytes."""
    return f"{size / 1e6:.1f} MB"


def gigabytes(size: int) -> str:
    """Write bytes as gigabytes of 10^9 bytes."""
    return f"{size / 1e9:.1f} GB"


def code(text: str) -> str:
    """Return text as a code span on one line, whatever it holds."""
    flat = "".join(letter if letter.isprintable() else " " for letter in text)
    flat = " ".join(flat.split()) or "(empty)"
    longest = max((len(run) for run in re.findall("`+", flat)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if flat[0] == "`" or flat[-1] == "`" else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def quote(text: str) -> str:
    """Return text as a code span for a table cell, cut where it is long."""
    cut = text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1].rstrip() + "…"
    return code(cut).replace("|", "\\|")


def cell(text: str) -> str:
    """Return plain text for a table cell: nothing in it is markup."""
    flat = " ".join(text.split())
    escaped = re.sub(r"([\\`*_\[\]|])", r"\\\1", flat).replace("<", "&lt;")
    return re.sub(r"\$\S*", lambda match: quote(match[0].replace("\\", "")), escaped)


def words(text: str) -> str:
    """Return a recipe's prose; what begins with a dollar sign becomes code, for it would be read as math."""
    parts = re.split(r"(`+[^`]*`+)", text)
    parts[::2] = [re.sub(r"\$[\w.,]*\w|\$", lambda match: f"`{match[0]}`", part) for part in parts[::2]]
    return "".join(parts)


def python_string(text: str) -> str:
    """Return a Python literal."""
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else repr(text)


def javascript_string(text: str) -> str:
    """Return a JavaScript literal, which JSON is."""
    return json.dumps(text, ensure_ascii=False)


def shell_json(text: str) -> str:
    """Return the body of a request to the inference API, quoted for a POSIX shell."""
    return shlex.quote(json.dumps({"inputs": text}, ensure_ascii=False))


FILTERS = {
    function.__name__: function
    for function in (
        percent,
        points,
        interval,
        decimal,
        short,
        tiny,
        thousands,
        megabytes,
        gigabytes,
        code,
        quote,
        cell,
        words,
        python_string,
        javascript_string,
        shell_json,
    )
}

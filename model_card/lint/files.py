"""Rules that hold a card against the files beside it, and sizes against what weights can weigh."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from finsent.onnx_files import FP32
from finsent.release import WEIGHTS
from model_card.card.document import Document, prose, without_blocks
from model_card.lint.problem import Problem
from model_card.measure.metrics_file import Metrics

_IMAGE = re.compile(r"!\[([^\]\n]*)\]\(\s*<?([^)\s>]+)")
_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(\s*<?([^)\s>]+)")
_FILE_HEADER = re.compile(r"^\|\s*files?\s*\|", re.IGNORECASE)
_FIRST_CELL = re.compile(r"^\|\s*`([^`]+)`\s*\|")
_SIZE = re.compile(r"(?<![\w.])(\d[\d,]*(?:\.\d+)?)\s?(kB|KB|MB|GB|KiB|MiB|GiB)\b")
_UNITS = {"kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_PARAMETERS = re.compile(r"(?<![\w.])(\d[\d,]*(?:\.\d+)?)\s?(k|M|B|million|billion)?\s+param", re.IGNORECASE)
_FACTORS = {"": 1, "k": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "billion": 1e9}
_FULL = "|".join(re.escape(name) for name in (FP32.file_name, WEIGHTS))
# What a line says of its weights, and the bits that each parameter then takes at least.
_BITS = (
    (re.compile(r"\bint4\b|\bq4\w*\b|\b4[- ]bits?\b|_q4|_bnb4", re.IGNORECASE), 4),
    (re.compile(r"\bu?int8\b|\bq8\w*\b|\b8[- ]bits?\b|quanti[sz]ed|_u?int8", re.IGNORECASE), 8),
    (re.compile(r"\b[fb]p?16\b|\bfloat16\b|half precision|_fp16|_q8f16", re.IGNORECASE), 16),
    (re.compile(rf"\bfp32\b|\bfloat32\b|{_FULL}", re.IGNORECASE), 32),
)
_ROUNDING = 0.98  # weights are stored with a little less than the stated parameters, such as tied ones


def lint_files(document: Document, metrics: Metrics | None, release: Path | None) -> Iterator[Problem]:
    """Yield impossible sizes and, with a release folder, names of files that are not there."""
    parameters = metrics.parameters if metrics else _stated_parameters(document)
    if parameters:
        yield from _check_sizes(document, parameters)
    yield from _check_images(document, release)
    if release is not None:
        yield from _check_links(document, release)
        yield from _check_file_tables(document, release)


def _stated_parameters(document: Document) -> float:
    """Return the largest number of parameters that the text states, 0 when it states none."""
    found = [
        float(match[1].replace(",", "")) * _FACTORS[(match[2] or "").lower()]
        for match in _PARAMETERS.finditer(prose(document.body))
    ]
    return max(found, default=0)


def _check_sizes(document: Document, parameters: float) -> Iterator[Problem]:
    for number, line in enumerate(without_blocks(document.body).split("\n"), start=1):
        bits = [bits for pattern, bits in _BITS if pattern.search(line)]
        for match in _SIZE.finditer(line) if bits else ():
            half_a_digit = 0.5 / 10 ** len(match[1].partition(".")[2])
            size = (float(match[1].replace(",", "")) + half_a_digit) * _UNITS[match[2]]
            floor = parameters * min(bits) / 8
            if size < floor * _ROUNDING:
                message = (
                    f"{match[0]} is too small: {parameters:,.0f} parameters of {min(bits)} bits are "
                    f"{floor / 1e6:.1f} MB; state the size of the file"
                )
                yield Problem(number, "size", message)


def _check_images(document: Document, release: Path | None) -> Iterator[Problem]:
    for number, line in enumerate(without_blocks(document.body).split("\n"), start=1):
        for match in _IMAGE.finditer(line):
            if not match[1].strip():
                yield Problem(number, "image", f"{match[2]} has no alternative text")
            if release is not None and _missing(match[2], release):
                yield Problem(number, "image", f"{match[2]} is not in the release")


def _check_links(document: Document, release: Path) -> Iterator[Problem]:
    for number, line in enumerate(without_blocks(document.body).split("\n"), start=1):
        for match in _LINK.finditer(line):
            if _missing(match[1], release):
                yield Problem(number, "link", f"{match[1]} is not in the release")


def _missing(target: str, release: Path) -> bool:
    if re.match(r"[a-z][a-z0-9+.-]*:|#|//", target):
        return False
    return not (release / target.split("#")[0].split("?")[0]).exists()


def _check_file_tables(document: Document, release: Path) -> Iterator[Problem]:
    inside = False
    for number, line in enumerate(without_blocks(document.body).split("\n"), start=1):
        if not line.lstrip().startswith("|"):
            inside = False
        elif _FILE_HEADER.match(line):
            inside = True
        elif inside and (match := _FIRST_CELL.match(line)) and not (release / match[1]).is_file():
            yield Problem(number, "file", f"{match[1]} is not in the release")

"""The rule that a card states no figure that was not measured or chosen.

A marked region is generated, so its numbers must be those that the same region has when it is built anew.
Free prose may use any number of metrics.json and recipe.yaml, in the roundings that the card uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from finsent.licences import find_licence
from finsent.recipe.recipe import Recipe
from finsent.release import METRICS
from finsent.scoring import CALIBRATION_BINS
from model_card.card.build import build_card
from model_card.card.document import Document, prose, regions, split_card
from model_card.lint.metadata import read_metadata
from model_card.lint.problem import Problem
from model_card.measure.metrics_file import Metrics

# A number that is not part of a word, a version, a date or a path; a unit may follow.
_NUMBER = re.compile(
    r"(?<![\w.,:/@#^-])(?P<sign>[-+−±]?)(?P<digits>\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?)"
    r"(?![\w/:@^]|[.,-]\w)(?P<unit>\s?(?:%|[KMGk]i?B\b))?"
)
_NOT_A_FIGURE = re.compile(r"^\s*(\d+[.)]|#{1,6})\s|^\[\^\d+\]")
INTERVAL = "95"  # percent; the only level that is used
PARTS_OF_A_SLICE = {"n", "accuracy", "macro_f1"}  # the rest of so many slices would allow any percentage
# for their regions alone
NOT_FOR_PROSE = {"reliability", "curve", "explanation", "explanations", "seen_rows", "beside_teacher"}
YEARS = range(1900, 2101)


@dataclass(frozen=True)
class Number:
    """A number as it is in a line: digits without separators, and `%`, a size unit or nothing."""

    line: int
    digits: str
    unit: str
    written: str


def lint_figures(document: Document, metrics: Metrics, recipe: Recipe) -> Iterator[Problem]:
    """Yield figures that neither the run nor the recipe knows."""
    fresh = split_card(build_card(recipe, metrics))
    known = known_figures(metrics, recipe)
    expected = _digits_by_region(fresh)
    own = {
        line: name
        for name, (first, last) in regions(document.body).items()
        if name in expected
        for line in range(first, last + 1)
    }
    for number in numbers(document):
        name = own.get(number.line)
        if name is not None and (number.digits, number.unit) not in expected[name]:
            message = f"{number.written} differs from what metrics.json gives for {name}"
            yield Problem(number.line, "figure", message)
        elif name is None and not _is_known(number, known, document):
            message = f"{number.written} is neither in metrics.json nor in recipe.yaml"
            yield Problem(number.line, "figure", message)
    yield from _check_index(document, metrics)


def numbers(document: Document) -> Iterator[Number]:
    """Yield the numbers of the prose and tables, outside code, links, versions, dates and ids."""
    for line, text in enumerate(prose(document.body).split("\n"), start=1):
        for match in _NUMBER.finditer(_NOT_A_FIGURE.sub(" ", text, count=1)):
            unit = (match["unit"] or "").strip()
            yield Number(line, match["digits"].replace(",", ""), unit, match[0].strip())


def _digits_by_region(document: Document) -> dict[str, set[tuple[str, str]]]:
    found = list(numbers(document))
    return {
        name: {(one.digits, one.unit) for one in found if first <= one.line <= last}
        for name, (first, last) in regions(document.body).items()
    }


def _is_known(number: Number, known: dict[str, set[str]], document: Document) -> bool:
    if number.unit == "%":
        return number.digits in known["%"]
    if number.unit:
        return number.digits in known["size"]
    if number.digits in known["plain"] or number.digits in known["%"]:
        return True
    in_table = document.body.split("\n")[number.line - 1].lstrip().startswith("|")
    if in_table or "," in number.written or not number.digits.isdigit():
        return False
    return len(number.digits) == 1 or int(number.digits) in YEARS  # "2 or 3 words", "since 2019"


def known_figures(metrics: Metrics, recipe: Recipe) -> dict[str, set[str]]:
    """Return the ways to write what was measured or chosen: as `%`, as `size`, and `plain`."""
    figures = metrics.model_dump()
    parts = [*figures["by_source"].values(), *figures["by_slice"].values()]
    for scores in (*parts, *(baseline["scores"] for baseline in figures["baselines"])):
        for key in set(scores) - PARTS_OF_A_SLICE:
            del scores[key]
    known: dict[str, set[str]] = {"%": {INTERVAL}, "size": set(), "plain": {str(CALIBRATION_BINS)}}
    licences = {metrics.licence, *(source.licence for source in recipe.data.sources)}
    titles = [find_licence(licence, METRICS).title for licence in licences]
    for value in _leaves([figures, recipe.model_dump(), titles]):
        if isinstance(value, str):
            found = {match["digits"].replace(",", "") for match in _NUMBER.finditer(value)}
            known["plain"] |= found
            known["%"] |= found
        else:
            known["plain"] |= {str(value), f"{value:g}", *(f"{abs(value):.{n}f}" for n in range(5))}
            known["plain"] |= {f"{abs(value):.1e}"}
            known["%"] |= {f"{100 * abs(value):.1f}", f"{100 * abs(value):g}"} if abs(value) <= 1 else set()
            known["size"] |= {f"{value / unit:.1f}" for unit in (1e3, 1e6, 1e9)} if value > 1000 else set()
    return known


def _leaves(tree: Any) -> Iterator[str | int | float]:  # noqa: ANN401  (plain values of any depth)
    """Yield strings and numbers, but not those of pictures and long tables, which would allow anything."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key not in NOT_FOR_PROSE:
                yield from _leaves(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from _leaves(value)
    elif isinstance(tree, str | int | float) and not isinstance(tree, bool):
        yield tree


def _check_index(document: Document, metrics: Metrics) -> Iterator[Problem]:
    """Values of model-index must be accuracies or macro F1s, as shares or percent."""
    parts = [*(variant.scores for variant in metrics.variants), *metrics.by_source.values()]
    measured = [value for scores in parts for value in (scores.accuracy, scores.macro_f1)]
    for value in _index_values(read_metadata(document)):
        if any(abs(value - share) < 6e-5 or abs(value - 100 * share) < 6e-2 for share in measured):
            continue
        line = next(
            (
                document.front_line + index
                for index, text in enumerate((document.front or "").split("\n"))
                if re.search(rf"value: *{re.escape(repr(value))}\s*$", text)
            ),
            document.front_line,
        )
        yield Problem(
            line, "figure", f"model-index: {value!r} is not an accuracy or macro F1 in metrics.json"
        )


def _index_values(tree: dict[str, Any]) -> Iterator[float]:
    models = tree.get("model-index")
    for model in models if isinstance(models, list) else []:
        results = model.get("results") if isinstance(model, dict) else None
        for result in results if isinstance(results, list) else []:
            found = result.get("metrics") if isinstance(result, dict) else None
            for metric in found if isinstance(found, list) else []:
                value = metric.get("value") if isinstance(metric, dict) else None
                if isinstance(value, int | float) and not isinstance(value, bool):
                    yield value

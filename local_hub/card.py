"""The metadata block of a README and the Hub's rules for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from local_hub.card_yaml import parse_block
from local_hub.names import Kind

# The clients' expression, ^(\s*---[\r\n]+)([\S\s]*?)([\r\n]+---[ \t]*(\r\n|\n|$)), in parts that are searched
# once each: as a whole it takes cubic time on empty lines.
_OPENING = re.compile(r"\s*---[\r\n]+")
_CLOSING = re.compile(r"(?<=[\r\n])---[ \t]*(?:\r\n|\n|\Z)")
_SDKS = ("gradio", "docker", "static", "streamlit")
_SHORT_DESCRIPTION_LIMIT = 60
_STRINGS = (
    "pipeline_tag",
    "library_name",
    "license_name",
    "license_link",
    "thumbnail",
    "base_model_relation",
)
_LISTS = ("tags", "datasets", "metrics", "language", "license", "base_model")
_HEX_COLORS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")


@dataclass(frozen=True)
class Findings:
    """What is wrong with a card: errors refuse the commit, warnings are only reported."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def split_card(text: str) -> tuple[str | None, str]:
    """Cut a README into its metadata block (None without one) and the text after it."""
    opening = _OPENING.match(text)
    closing = _CLOSING.search(text, opening.end() + 1) if opening else None
    if opening and closing:
        return text[opening.end() : closing.start()].rstrip("\r\n"), text[closing.end() :]
    if opening and opening[0].endswith(("\n\n", "\r\n", "\r\r", "\n\r")):
        empty = _CLOSING.match(text, opening.end())  # nothing but line ends between the two marks
        return ("", text[empty.end() :]) if empty else (None, text)
    return None, text


def read_metadata(text: str) -> dict[str, Any] | None:
    """The card's metadata; None if there is none or it is broken."""
    block, _ = split_card(text)
    try:
        return parse_block(block) if block is not None else None
    except ValueError:
        return None


def check_card(text: str, kind: Kind) -> Findings:
    """Judge a README as validate-yaml and the commit do."""
    block, _ = split_card(text)
    if block is None:
        if kind == "spaces":
            return Findings(
                errors=["Missing configuration in README: a Space needs a YAML block with its sdk."]
            )
        return Findings(warnings=["empty or missing yaml metadata in repo card"])
    try:
        data = parse_block(block)
    except ValueError as error:
        return Findings(errors=[f"YAML metadata is invalid: {error}"])
    findings = Findings()
    _check_fields(data, findings)
    _check_widget(data.get("widget"), findings)
    _check_model_index(data.get("model-index"), findings)
    if kind == "spaces":
        _check_space(data, findings)
    return findings


def _check_fields(data: dict[str, Any], findings: Findings) -> None:
    for key in _STRINGS:
        if key in data and not isinstance(data[key], str):
            findings.errors.append(f'"{key}" must be a string')
    for key in _LISTS:
        value = data.get(key)
        if value is None and key not in data:
            continue
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) for item in items):
            findings.errors.append(f'"{key}" must be a string or an array of strings')


def _check_widget(widget: object, findings: Findings) -> None:
    if widget is None or widget is False:
        return
    if not isinstance(widget, list):
        findings.errors.append('"widget" must be an array')
    elif not all(isinstance(example, dict) for example in widget):
        findings.errors.append('"widget" must be an array of objects')


def _check_model_index(index: object, findings: Findings) -> None:
    if index is None:
        return
    if not isinstance(index, list):
        findings.errors.append('"model-index" must be an array')
        return
    for model_number, model in enumerate(index):
        where = f'"model-index[{model_number}]'
        if not isinstance(model, dict) or not isinstance(model.get("name"), str):
            findings.errors.append(f'{where}.name" must be a string')
            continue
        results = model.get("results")
        if not isinstance(results, list):
            findings.errors.append(f'{where}.results" must be an array')
            continue
        for number, result in enumerate(results):
            _check_result(result, f"{where}.results[{number}]", findings)


def _check_result(result: object, where: str, findings: Findings) -> None:
    if not isinstance(result, dict):
        findings.errors.append(f'{where}" must be an object')
        return
    for part, keys in (("task", ("type",)), ("dataset", ("type", "name"))):
        value = result.get(part)
        for key in keys:
            if not isinstance(value, dict) or not isinstance(value.get(key), str):
                findings.errors.append(f'{where}.{part}.{key}" must be a string')
    dataset = result.get("dataset")
    for key in ("config", "split", "revision"):
        if isinstance(dataset, dict) and key in dataset and not isinstance(dataset[key], str):
            findings.errors.append(f'{where}.dataset.{key}" must be a string')
    _check_metrics(result.get("metrics"), where, findings)


def _check_metrics(metrics: object, where: str, findings: Findings) -> None:
    if not isinstance(metrics, list):
        findings.errors.append(f'{where}.metrics" must be an array')
        return
    for number, metric in enumerate(metrics):
        if not isinstance(metric, dict) or not isinstance(metric.get("type"), str):
            findings.errors.append(f'{where}.metrics[{number}].type" must be a string')
        elif "value" not in metric:
            findings.errors.append(f'{where}.metrics[{number}].value" is required')


def _check_space(data: dict[str, Any], findings: Findings) -> None:
    if data.get("sdk") not in _SDKS:
        findings.errors.append(f'"sdk" must be one of [{", ".join(_SDKS)}]')
    short = data.get("short_description")
    if short is not None and (not isinstance(short, str) or len(short) > _SHORT_DESCRIPTION_LIMIT):
        length = f", got {len(short)}" if isinstance(short, str) else ""
        findings.errors.append(
            f'"short_description" length must be less than or equal to {_SHORT_DESCRIPTION_LIMIT} characters'
            f" long{length}"
        )
    for key in ("colorFrom", "colorTo"):
        if key in data and data[key] not in _HEX_COLORS:
            findings.errors.append(f'"{key}" must be one of [{", ".join(_HEX_COLORS)}]')

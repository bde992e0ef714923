"""What the Hub accepts as metadata of a model card, as pydantic models; keys not named here are let through.

https://github.com/huggingface/hub-docs/blob/main/modelcard.md, and for the widget's output
https://github.com/huggingface/huggingface.js/blob/main/packages/tasks/src/widget-example.ts
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)

from model_card.lint.licence_ids import HUB_LICENCES

# Optional strings below are declared without None on purpose: the Hub takes a missing key, never a null.
Number = StrictInt | StrictFloat


def _check_strings(value: object) -> object:
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, str) for item in items):
        raise ValueError(f"must be a string or a list of strings, got {value!r}")
    return value


def _check_licence(value: object) -> object:
    for item in value if isinstance(value, list) else [value]:
        if item not in HUB_LICENCES:
            raise ValueError(f"{item!r} is not a Hub licence id; write one, or 'other' with license_name")
    return value


def _check_language(value: object) -> object:
    for item in value if isinstance(value, list) else [value]:
        if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]+)*|multilingual|code", str(item)):
            raise ValueError(f"{item!r} is not a language code such as 'en'")
    return value


def _check_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number, got {value!r}")
    if value != value or abs(value) == float("inf"):
        raise ValueError(f"must be finite, got {value!r}")
    return value


Strings = Annotated[Any, BeforeValidator(_check_strings)]
Finite = Annotated[Any, BeforeValidator(_check_number)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", protected_namespaces=())


class WidgetOutput(_Part):
    """One label; a score written as text or a label that is no string makes the Hub drop the example."""

    label: StrictStr
    score: Annotated[Finite, Field(ge=0, le=1)]


class WidgetExample(_Part):
    """A text that visitors can try."""

    text: StrictStr
    example_title: StrictStr = ""
    output: list[WidgetOutput] = []


class Task(_Part):
    """What was evaluated."""

    type: StrictStr
    name: StrictStr = ""


class Dataset(_Part):
    """On what; type is the Hub id where there is one."""

    name: StrictStr
    type: StrictStr
    config: StrictStr = ""
    split: StrictStr = ""
    revision: StrictStr = ""


class Metric(_Part):
    """How well."""

    type: StrictStr
    value: Finite
    name: StrictStr = ""
    config: StrictStr = ""


class ResultSource(_Part):
    """Where the figure can be looked up."""

    url: StrictStr
    name: StrictStr = ""


class Result(_Part):
    """Metrics of one task on one data set."""

    task: Task
    dataset: Dataset
    metrics: list[Metric] = Field(min_length=1)
    source: ResultSource = ResultSource(url="")


class IndexedModel(_Part):
    """One entry of model-index."""

    name: StrictStr
    results: list[Result] = Field(min_length=1)


class Emissions(_Part):
    """Grams of CO2 equivalent; a plain number stands for a mapping with nothing else."""

    emissions: Finite
    source: StrictStr = ""
    training_type: StrictStr = ""
    geographical_location: StrictStr = ""
    hardware_used: StrictStr = ""

    @model_validator(mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return {"emissions": value} if isinstance(value, int | float) else value


class CardMetadata(_Part):
    """The block as a whole; what has no default must be there."""

    license: Annotated[Strings, AfterValidator(_check_licence)]
    library_name: StrictStr
    pipeline_tag: StrictStr
    language: Annotated[Strings, AfterValidator(_check_language)] = "en"
    license_name: StrictStr = ""
    license_link: StrictStr = ""
    thumbnail: StrictStr = ""
    new_version: StrictStr = ""
    tags: Strings = []
    datasets: Strings = []
    metrics: Strings = []
    base_model: Strings = []
    base_model_relation: Literal["finetune", "quantized", "adapter", "merge"] = "finetune"
    widget: list[WidgetExample] = []
    model_index: list[IndexedModel] = Field([], alias="model-index")
    co2_eq_emissions: Emissions = Emissions(emissions=0)

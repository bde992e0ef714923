"""Sections on export: which ONNX files are made, and what each of them may lose."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema, field_validator

from finsent.onnx_files import ONNX_FILES
from finsent.recipe.section import Section, Share


def _check_variant(name: str) -> str:
    if name not in ONNX_FILES:
        raise ValueError(f"unknown ONNX file {name!r}, allowed: {', '.join(ONNX_FILES)}")
    return name


VariantName = Annotated[
    str, AfterValidator(_check_variant), WithJsonSchema({"enum": list(ONNX_FILES), "type": "string"})
]


class Budget(Section):
    """How far a file may differ from PyTorch; beyond that it is not released."""

    macro_f1_drop: Share = Field(0.015, description="largest loss of macro F1 on the test rows")
    flip_share: Share = Field(0.06, description="share of test rows whose label differs from PyTorch's")
    batch_difference: float = Field(
        1e-6, ge=0, description="largest |Δp| between a text alone and in a padded batch"
    )


class Variant(Section):
    """One ONNX file of the release, by its name in finsent/onnx_files.py."""

    name: VariantName = Field(description="which file")
    required: bool = Field(
        True, description="a file over budget ends the run; false: the release leaves it out"
    )
    keep_float: list[str] = Field([], description="regular expressions of graph nodes to keep in fp32")
    calibration_rows: int = Field(256, ge=8, description="training rows used to calibrate the int8 ranges")
    budget: Budget = Field(Budget(), description="how far the file may differ from PyTorch")


class Export(Section):
    """Which ONNX files to make."""

    opset: int = Field(17, ge=17, le=20, description="from 17 on, a layer norm is one node")
    variants: list[Variant] = Field(min_length=1, description="the ONNX files; fp32 comes first")

    @field_validator("variants")
    @classmethod
    def _starts_with_fp32(cls, variants: list[Variant]) -> list[Variant]:
        names = [variant.name for variant in variants]
        if names[0] != "fp32" or len(set(names)) != len(names):
            raise ValueError(
                f"variants must be distinct and start with fp32, from which the others are made, got {names}"
            )
        return variants

"""Every ONNX file of a release: which maker makes which row of finsent/onnx_files.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from export.quantize import quantize
from export.to_fp16 import convert_to_fp16
from export.to_onnx import export_onnx
from export.to_q4 import convert_to_q4
from finsent.onnx_files import FP16, Q4, QUANTIZED
from finsent.recipe.export import Export, Variant

Maker = Callable[[Path, Variant, list[str]], Path]
# From the fp32 file in a folder, what the recipe says of the variant, and texts to calibrate on.
MAKERS: dict[str, Maker] = {
    FP16.name: lambda folder, variant, _: convert_to_fp16(folder, variant.keep_float),
    QUANTIZED.name: quantize,
    Q4.name: lambda folder, variant, _: convert_to_q4(folder, variant.keep_float),
}


def export_files(export: Export, texts: list[str], folder: Path) -> None:
    """Write the ONNX files that a recipe names beside the model in `folder`; `texts` are of training."""
    export_onnx(folder, export.opset)
    for variant in export.variants[1:]:
        MAKERS[variant.name](folder, variant, texts[: variant.calibration_rows])

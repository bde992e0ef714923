"""PyTorch to one ONNX file without external data, through optimum."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import onnx
from optimum.exporters.onnx import onnx_export_from_model

import export.decoding  # noqa: F401  (tells optimum of T5)
from export.graph.simplify import simplify
from finsent.encoder.text_to_text import load_plain
from finsent.errors import ReleaseError
from finsent.onnx_files import FP32


def export_onnx(folder: Path, opset: int) -> Path:
    """Write the fp32 file of the model saved in `folder` and return its path.

    Attention is exported step by step: fused, it is taken apart again into more nodes than it had.
    Raises ReleaseError when weights went to a second file: runtimes that load one file by name would fail.
    """
    target = folder / FP32.path
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="finsent-export-") as scratch, warnings.catch_warnings():
        # tracing warns of Python branches that hold for every text, and of its own successor
        warnings.simplefilter("ignore")
        onnx_export_from_model(
            model=load_plain(folder),
            output=scratch,
            task="text-classification",
            opset=opset,
            do_validation=False,  # the gate compares on the test rows instead
        )
        if extra := [path.name for path in Path(scratch).glob("*.onnx?data")]:
            raise ReleaseError(f"the export wrote external data ({extra[0]}); one file a variant is allowed")
        model = onnx.load(Path(scratch) / "model.onnx")
    simplify(model)
    onnx.save(model, target)
    onnx.checker.check_model(str(target))
    return target

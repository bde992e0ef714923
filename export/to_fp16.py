"""fp32 ONNX to fp16: half the bytes, for processors that compute with 16 bits; int64 in and fp32 out, as before.

https://onnxruntime.ai/docs/performance/model-optimizations/float16.html
"""

from __future__ import annotations

from pathlib import Path

import onnx
from onnxruntime.transformers.float16 import convert_float_to_float16

from export.graph.nodes import match_nodes
from finsent.onnx_files import FP16, FP32


def convert_to_fp16(folder: Path, keep_float: list[str]) -> Path:
    """Write the fp16 file of the release in `folder` and return its path; `keep_float` nodes stay in fp32.

    Raises ReleaseError when an expression of `keep_float` matches no node.
    """
    model = onnx.load(folder / FP32.path)
    kept = match_nodes(model.graph, keep_float)
    converted = convert_float_to_float16(model, keep_io_types=True, node_block_list=kept)
    onnx.save(converted, folder / FP16.path)
    return folder / FP16.path

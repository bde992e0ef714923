"""fp32 ONNX to fp16: half the bytes, for processors that compute with 16 bits.

Inputs stay int64 and logits fp32. Sums of 16 bits depend a little on how a batch is padded (6.5e-6 seen on an
untrained MiniLM-L6), so a recipe gives this file a `batch_difference` above the default of 1e-6.
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

    Raises ReleaseError if an expression of `keep_float` matches no node.
    """
    model = onnx.load(folder / FP32.path)
    kept = match_nodes(model.graph, keep_float)
    converted = convert_float_to_float16(model, keep_io_types=True, node_block_list=kept)
    onnx.save(converted, folder / FP16.path)
    return folder / FP16.path

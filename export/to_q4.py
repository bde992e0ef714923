"""fp32 ONNX to weights of 4 bits: a scale and a zero point for every 32 of them; what is computed stays fp32.

Products become MatMulNBits and the table of pieces GatherBlockQuantized, for which onnxruntime has kernels on
CPUs, in WebAssembly and for WebGPU. Head and pooler (Gemm) and what is no matrix stay in fp32. Nothing is
calibrated. A product of one row is added up in another order than one of many, so a recipe gives this file
a `batch_difference` above the default of 1e-6, as it does for fp16.
https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html#quantize-to-int4uint4
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx.version_converter import convert_version

from export.graph.nodes import match_nodes
from export.quiet import quiet_root_logger
from finsent.onnx_files import FP32, Q4

BLOCK = 32  # weights that share a scale
OPSET = 21  # the first that has tensors of 4 bits


def convert_to_q4(folder: Path, keep_float: list[str]) -> Path:
    """Write the 4-bit file of the release in `folder` and return its path; `keep_float` nodes stay in fp32.

    Raises ReleaseError if an expression of `keep_float` matches no node.
    """
    model = convert_version(onnx.load(folder / FP32.path), OPSET)
    _read_weights_directly(model.graph)
    rounded = round_weights(model, match_nodes(model.graph, keep_float), ("MatMul", "Gather"))
    onnx.save(rounded, folder / Q4.path)
    return folder / Q4.path


def round_weights(model: onnx.ModelProto, left_out: list[str], kinds: tuple[str, ...]) -> onnx.ModelProto:
    """Return a model whose weights have 4 bits where nodes of these kinds read them, save those left out."""
    with quiet_root_logger(), np.errstate(divide="ignore", invalid="ignore"):  # of blocks that hold only 0
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer  # logs when imported

        quantizer = MatMulNBitsQuantizer(
            model,
            block_size=BLOCK,
            is_symmetric=False,
            nodes_to_exclude=left_out + _without_table(model.graph),
            op_types_to_quantize=kinds,
            quant_axes=(("MatMul", 0), ("Gather", 1)),
        )
        quantizer.process()
    rounded: onnx.ModelProto = quantizer.model.model
    return rounded


def _read_weights_directly(graph: onnx.GraphProto) -> None:
    """Let nodes read weights that layers share by one name, for which the exporter writes Identity nodes."""
    weights = {tensor.name for tensor in graph.initializer}
    copies = [node for node in graph.node if node.op_type == "Identity" and node.input[0] in weights]
    copied = {node.output[0]: node.input[0] for node in copies}
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = copied.get(name, name)
    for node in copies:
        graph.node.remove(node)


def _without_table(graph: onnx.GraphProto) -> list[str]:
    """Return the Gather nodes that read no matrix of whole blocks: those of shapes, and of narrow tables."""
    columns = {tensor.name: tensor.dims[-1] for tensor in graph.initializer if len(tensor.dims) == 2}
    gathers = [node for node in graph.node if node.op_type == "Gather"]
    return [node.name for node in gathers if columns.get(node.input[0], 1) % BLOCK]

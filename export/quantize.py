"""fp32 ONNX to int8 by static QDQ of MatMul, Gemm and Gather: fixed scales, so neighbours do not matter.

Per channel, and with 7-bit weights (reduce_range), so that CPUs without VNNI do not saturate and score alike.
Only what enters a product with weights is rounded. Rounding its result as well, as onnxruntime does by
itself, flips more than twice as many labels; rounding attention's own products, which have no weights, saves
nothing, and what goes around a product is as good in float (benchmarks/log.md).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from tokenizers import Tokenizer

from export.graph.nodes import WEIGHTED, match_nodes
from export.outliers import add_outliers, split_outliers
from export.quiet import quiet_root_logger
from finsent.onnx_files import FP32, QUANTIZED
from finsent.recipe.export import Variant
from finsent.release import TOKENIZER

OPTIONS = {"OpTypesToExcludeOutputQuantization": WEIGHTED}
CALIBRATION_BATCH = 16
TOKENS_A_BATCH = 2048  # padded ones: 16 texts of 500 tokens would take 4 GB, as nothing is optimized here


class _Texts(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime ships no types
    """Batches of tokenized texts, as the graph takes them."""

    def __init__(self, tokenizer: Tokenizer, texts: list[str], names: list[str]) -> None:
        self._batches = _batches(tokenizer, texts, names)

    def get_next(self) -> dict[str, Any] | None:
        return next(self._batches, None)


def quantize(folder: Path, variant: Variant, texts: list[str]) -> Path:
    """Write the int8 file of the release in `folder`, calibrated on `texts`, and return its path.

    Raises ReleaseError if a `keep_float` expression of the recipe matches no node.
    """
    source, target = folder / FP32.path, folder / QUANTIZED.path
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    with tempfile.TemporaryDirectory(prefix="finsent-quantize-") as scratch:
        prepared = Path(scratch) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        graph = onnx.load(str(prepared), load_external_data=False).graph
        names = [entry.name for entry in graph.input]
        left_out = _without_weights(graph) + match_nodes(graph, variant.keep_float)
        outliers, ranges = split_outliers(prepared, _batches(tokenizer, texts, names), left_out)
        with quiet_root_logger():
            quantize_static(
                str(prepared),
                str(target),
                calibration_data_reader=_Texts(tokenizer, texts, names),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=WEIGHTED,
                nodes_to_exclude=left_out,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                extra_options=OPTIONS | {"TensorQuantOverrides": ranges},
            )
    model = onnx.load(target)
    _free_residuals(model.graph)
    _keep_sums_apart(model.graph)
    add_outliers(model.graph, outliers)
    del model.graph.value_info[:]  # shapes that every runtime infers itself; no longer true for all of them
    onnx.save(model, target)
    return target


def _free_residuals(graph: onnx.GraphProto) -> None:
    """Let what has no rounded weights read its input unrounded: onnxruntime rounds for all readers alike.

    Embeddings stay rounded, whose table would otherwise be unpacked for every text.
    """
    made_by = {name: node for node in graph.node for name in node.output}
    unpacked = {
        node.output[0]
        for node in graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] not in made_by
    }
    for node in graph.node:
        rounded = node.op_type in WEIGHTED and not unpacked.isdisjoint(node.input)
        for index, name in enumerate(node.input):
            if not rounded and (exact := _before_rounding(name, made_by)):
                node.input[index] = exact


def _keep_sums_apart(graph: onnx.GraphProto) -> None:
    """Write what a LayerNormalization reads as Sum, since onnxruntime fuses an Add with it.

    The fused kernel is slower, and differs in a last bit that rounding to int8 makes large: a user who turned
    it off would get other scores than one who did not. fp32 keeps Add, for which WebGPU has a kernel.
    """
    made_by = {name: node for node in graph.node for name in node.output}
    for node in graph.node:
        source = made_by.get(node.input[0]) if node.op_type == "LayerNormalization" else None
        if source is not None and source.op_type == "Add":
            source.op_type = "Sum"


def _before_rounding(name: str, made_by: dict[str, onnx.NodeProto]) -> str | None:
    """Return the tensor that a pair of QuantizeLinear and DequantizeLinear made `name` of, or None."""
    for kind in ("DequantizeLinear", "QuantizeLinear"):
        if name not in made_by or made_by[name].op_type != kind:
            return None
        name = made_by[name].input[0]
    return None if made_by[name].op_type == "Gather" else name


def _without_weights(graph: onnx.GraphProto) -> list[str]:
    weights = {tensor.name for tensor in graph.initializer}
    return [node.name for node in graph.node if node.op_type == "MatMul" and weights.isdisjoint(node.input)]


def _batches(tokenizer: Tokenizer, texts: list[str], names: list[str]) -> Iterator[dict[str, Any]]:
    lengths = [len(encoding.ids) for encoding in tokenizer.encode_batch_fast(texts)]
    tokenizer.enable_padding()
    for start, end in _share_out(lengths):
        encodings = tokenizer.encode_batch_fast(texts[start:end])
        columns = {
            "input_ids": [encoding.ids for encoding in encodings],
            "attention_mask": [encoding.attention_mask for encoding in encodings],
            "token_type_ids": [encoding.type_ids for encoding in encodings],
        }
        yield {name: np.array(columns[name], dtype=np.int64) for name in names}


def _share_out(lengths: list[int]) -> Iterator[tuple[int, int]]:
    """Yield where batches of texts that long begin and end: their order stays, and one text is always one."""
    start = 0
    while start < len(lengths):
        end = min(start + CALIBRATION_BATCH, len(lengths))
        while end > start + 1 and max(lengths[start:end]) * (end - start) > TOKENS_A_BATCH:
            end -= 1
        yield start, end
        start = end

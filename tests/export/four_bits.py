"""What the weights of a 4-bit file stand for, read without onnxruntime's kernels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

Array = NDArray[np.float32]
BLOCK = 32


def read_weights(path: Path) -> dict[str, tuple[Array, Array]]:
    """Return the matrices of a q4 file by their names in the fp32 file, with the step of each weight."""
    graph = onnx.load(path).graph
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    assert len(held) == len(graph.initializer)  # each is there once
    found = {}
    for node in graph.node:
        if node.op_type == "MatMulNBits":
            weights, steps = _read_product(node, held)
            found[node.input[1].removesuffix("_Q4")] = weights.T, steps.T
        elif node.op_type == "GatherBlockQuantized":
            found[node.input[0].removesuffix("_Q4")] = _read_table(node, held)
    return found


def with_weights(source: Path, target: Path, weights: dict[str, tuple[Array, Array]]) -> Path:
    """Write the fp32 file with other matrices and return its path."""
    model = onnx.load(source)
    for tensor in model.graph.initializer:
        if tensor.name in weights:
            tensor.CopyFrom(numpy_helper.from_array(weights[tensor.name][0].copy(), tensor.name))
    onnx.save(model, target)
    return target


def _read_product(node: onnx.NodeProto, held: dict[str, np.ndarray]) -> tuple[Array, Array]:
    columns = next(one.i for one in node.attribute if one.name == "K")
    packed, scales, zeros = (held[name] for name in node.input[1:4])
    rows = len(packed)
    steps = np.repeat(scales.reshape(rows, -1), BLOCK, axis=1)[:, :columns]
    zero = np.repeat(_nibbles(zeros.reshape(rows, -1)), BLOCK, axis=1)[:, :columns]
    return (_nibbles(packed.reshape(rows, -1))[:, :columns] - zero) * steps, steps


def _read_table(node: onnx.NodeProto, held: dict[str, np.ndarray]) -> tuple[Array, Array]:
    table, _, scales, zeros = (held.get(name, np.empty(0)) for name in node.input)
    steps, zero = (np.repeat(values.astype(np.float32), BLOCK, axis=1) for values in (scales, zeros))
    return (table.astype(np.float32) - zero) * steps, steps


def _nibbles(packed: np.ndarray) -> Array:
    """Return the two values of every byte, the low one first."""
    return np.stack([packed & 15, packed >> 4], axis=-1).reshape(len(packed), -1).astype(np.float32)

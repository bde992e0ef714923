"""The last layer for the first token alone: a classifier reads no other, so no other need be computed.

What the last layer makes of a token goes into no other token's result. Its keys and values are needed of all
tokens, its queries and all that follows them of the first one only (what it saves: benchmarks/log.md).
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from export.graph.shapes import Dimensions, known_shapes

ELEMENTWISE = {"Add", "Sub", "Mul", "Div", "Erf", "Gelu", "Tanh", "Relu", "Where", "Cast", "Identity"}
BY_LAST_AXIS = {"LayerNormalization", "Softmax"}

Axis = tuple[str, int]  # a tensor, and which of its axes counts tokens


@dataclass(frozen=True)
class _Narrowed:
    """A tensor of which index 0 along an axis is enough, and what is needed to make that."""

    axis: int
    needs: list[Axis]


def keep_first_token(model: onnx.ModelProto) -> None:
    """Change a model in place so that what only the first token's result depends on is computed for it alone.

    What is read for other tokens too, or comes from a node that is not understood, is made as before and cut
    then. Nothing changes where no Gather takes the first token, or where a node has a graph of its own.
    """
    if any(attribute.HasField("g") for node in model.graph.node for attribute in node.attribute):
        return
    narrowed = _Reader(model).find_narrowed()
    for value in [value for value in model.graph.value_info if value.name in narrowed]:
        model.graph.value_info.remove(value)  # says how many tokens it had
    cut: dict[Axis, str] = {}
    for node in list(model.graph.node):
        for name, axis in narrowed[node.output[0]].needs if node.output[0] in narrowed else ():
            if name in narrowed:
                continue
            if (name, axis) not in cut:
                cut[name, axis] = _insert_slice(model.graph, node, name, axis)
            for index, read in enumerate(node.input):
                if read == name:
                    node.input[index] = cut[name, axis]


def _insert_slice(graph: onnx.GraphProto, before: onnx.NodeProto, name: str, axis: int) -> str:
    """Put in a node that takes the first of an axis, and return the name of what it gives."""
    result = f"{name}/first-{axis}"
    values = {"starts": 0, "ends": 1, "axes": axis}
    for key, value in values.items():
        graph.initializer.append(
            numpy_helper.from_array(np.array([value], dtype=np.int64), f"{result}.{key}")
        )
    inputs = [name, *(f"{result}.{key}" for key in values)]
    place = next(index for index, node in enumerate(graph.node) if node == before)
    graph.node.insert(place, helper.make_node("Slice", inputs, [result], name=result))
    return result


class _Reader:
    """Who makes and who reads each tensor of a graph, and what is known of its shape."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.results = {entry.name for entry in model.graph.output}
        self.shapes = known_shapes(model)
        self.constants = _constants(model.graph)
        self.made_by = {name: node for node in model.graph.node for name in node.output}
        self.readers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        for node in model.graph.node:
            for name in node.input:
                self.readers[name].append(node)

    def find_narrowed(self) -> dict[str, _Narrowed]:
        """Return all tensors that need be made for the first token only."""
        pending = [(node.input[0], 1) for node in self.made_by.values() if self._takes_first(node)]
        found: dict[str, _Narrowed] = {}
        while pending:
            name, axis = pending.pop()
            needs = self._needs(name, axis)
            if name not in found and needs is not None:
                found[name] = _Narrowed(axis, needs)
                pending += needs
        while wide := [name for name in found if not self._is_read_narrowly(name, found)]:
            for name in wide:
                del found[name]
        return found

    def _takes_first(self, node: onnx.NodeProto) -> bool:
        if node.op_type != "Gather" or _attribute(node, "axis", 0) != 1:
            return False
        index = self.constants.get(node.input[1])
        return index is not None and index.shape == () and int(index) == 0

    def _is_read_narrowly(self, name: str, found: dict[str, _Narrowed]) -> bool:
        """Return whether all readers want the first of the same axis; results of the graph are read whole."""
        wanted = (name, found[name].axis)
        return name not in self.results and all(
            wanted == (node.input[0], 1)
            if self._takes_first(node)
            else node.output[0] in found and wanted in found[node.output[0]].needs
            for node in self.readers[name]
        )

    def _needs(self, name: str, axis: int) -> list[Axis] | None:
        """Return what the first of an axis of a tensor is made from; None where that is not understood."""
        node, shape = self.made_by.get(name), self.shapes.get(name)
        if node is None or shape is None or len(node.output) != 1:
            return None
        if node.op_type in ELEMENTWISE:
            return self._needs_of_elementwise(node, axis, len(shape))
        source = self.shapes.get(node.input[0])
        if source is None:
            return None
        if node.op_type in BY_LAST_AXIS:
            last = _attribute(node, "axis", -1) in (-1, len(shape) - 1)
            return [(node.input[0], axis)] if last and axis < len(shape) - 1 else None
        if node.op_type == "MatMul":
            ranks = len(source), len(self.shapes.get(node.input[1], []))
            by_row = axis == len(shape) - 2 and min(ranks) > 1 and node.input[0] != node.input[1]
            return [(node.input[0], len(source) - 2)] if by_row else None
        if node.op_type == "Transpose":
            return [(node.input[0], node.attribute[0].ints[axis])] if node.attribute else None
        if node.op_type == "Reshape":
            kept = _keeps_axis(source, self.constants.get(node.input[1]), axis)
            return [(node.input[0], axis)] if kept else None
        return None

    def _needs_of_elementwise(self, node: onnx.NodeProto, axis: int, rank: int) -> list[Axis] | None:
        needs = []
        for name in node.input:
            shape = self.shapes.get(name)
            if shape is None:
                return None
            place = axis - (rank - len(shape))
            if place < 0 or shape[place] == 1:
                continue  # the same for all tokens
            if name in self.constants:
                return None
            needs.append((name, place))
        return needs


def _keeps_axis(source: Dimensions, target: NDArray[Any] | None, axis: int) -> bool:
    """Return whether a Reshape leaves an axis and all before it alone: what follows must be of equal size."""
    if target is None or axis >= len(source) or any(target[:axis]) or target[axis] not in (0, -1):
        return False
    before, after = source[axis + 1 :], [int(size) for size in target[axis + 1 :]]
    sizes = [size for size in before if isinstance(size, int)]
    return len(sizes) == len(before) and 0 not in after and math.prod(sizes) == math.prod(after)


def _constants(graph: onnx.GraphProto) -> dict[str, NDArray[Any]]:
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            found[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    return found


def _attribute(node: onnx.NodeProto, name: str, default: int) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == name), default)

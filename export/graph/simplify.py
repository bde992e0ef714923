"""Less to compute for the same result: what the exporter computes for every text, and need not.

A third of a small model's time goes into nodes that are not products (benchmarks/log.md).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper, numpy_helper

from export.graph.first_token import keep_first_token
from export.graph.nodes import names_read
from export.graph.shapes import known_shapes
from finsent.scoring import Floats


def simplify(model: onnx.ModelProto) -> None:
    """Change a model in place: what it answers stays, what need not be computed for that goes."""
    fix_shapes(model)
    remove_unused(model.graph)  # unused Shape nodes would count as readers of all tokens
    keep_first_token(model)
    join_products(model.graph)
    remove_unused(model.graph)


def fix_shapes(model: onnx.ModelProto) -> None:
    """Give every Reshape a constant shape where only one of its dimensions is not known from its input.

    Attention's heads are the last two of four dimensions; the exporter reads the first two off the text.
    """
    shapes = known_shapes(model)
    for node in model.graph.node:
        if node.op_type != "Reshape" or not {node.input[0], node.output[0]} <= shapes.keys():
            continue
        before, after = shapes[node.input[0]], shapes[node.output[0]]
        same = [size is not None and before[index : index + 1] == [size] for index, size in enumerate(after)]
        target = [
            0 if kept else size if isinstance(size, int) else -1
            for kept, size in zip(same, after, strict=True)
        ]
        if target.count(-1) <= 1:
            shape = numpy_helper.from_array(np.array(target, dtype=np.int64), f"{node.name}_shape")
            model.graph.initializer.append(shape)
            node.input[1] = shape.name


def join_products(graph: onnx.GraphProto) -> None:
    """Compute every `x @ a + b` of the same x as one product, and split its result."""
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in weights:  # equal tensors are stored once
            weights[node.output[0]] = weights[node.input[0]]
    readers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        for name in names_read(node):
            readers[name].append(node)
    groups: dict[str, list[_Linear]] = defaultdict(list)
    for node in graph.node:
        if linear := _read_linear(node, readers, weights):
            groups[node.input[0]].append(linear)
    for source, group in groups.items():
        if len(group) > 1:
            _join(graph, source, group)


@dataclass(frozen=True)
class _Linear:
    """`x @ weight + bias`: two nodes, and arrays `(width, size)` and `(size,)`."""

    product: onnx.NodeProto
    sum: onnx.NodeProto
    weight: Floats
    bias: Floats


def _read_linear(
    product: onnx.NodeProto, readers: dict[str, list[onnx.NodeProto]], weights: dict[str, Floats]
) -> _Linear | None:
    """Return what begins at a product with weights, or None where it is not followed by just a bias."""
    if product.op_type != "MatMul" or product.input[1] not in weights:
        return None
    following = readers[product.output[0]]
    if len(following) != 1 or following[0].op_type != "Add":
        return None
    weight = weights[product.input[1]]
    biases = [weights[name] for name in following[0].input if name in weights]
    if len(biases) != 1 or biases[0].shape != weight.shape[1:]:
        return None
    return _Linear(product, following[0], weight, biases[0])


def _join(graph: onnx.GraphProto, source: str, group: list[_Linear]) -> None:
    name = f"{group[0].product.name}/joined"
    values = {
        f"{name}.weight": np.concatenate([one.weight for one in group], axis=1),
        f"{name}.bias": np.concatenate([one.bias for one in group]),
        f"{name}.widths": np.array([len(one.bias) for one in group], dtype=np.int64),
    }
    graph.initializer.extend([numpy_helper.from_array(value, key) for key, value in values.items()])
    parts = [one.sum.output[0] for one in group]
    nodes: list[tuple[str, list[str], list[str], dict[str, int]]] = [
        ("MatMul", [source, f"{name}.weight"], [f"{name}/product"], {}),
        ("Add", [f"{name}.bias", f"{name}/product"], [f"{name}/sum"], {}),
        ("Split", [f"{name}/sum", f"{name}.widths"], parts, {"axis": -1}),
    ]
    place = next(index for index, node in enumerate(graph.node) if node == group[0].product)
    for index, (kind, inputs, outputs, attributes) in enumerate(nodes):
        node = helper.make_node(kind, inputs, outputs, name=f"{name}/{kind}", **attributes)
        graph.node.insert(place + index, node)
    for one in group:
        graph.node.remove(one.product)
        graph.node.remove(one.sum)


def remove_unused(graph: onnx.GraphProto) -> None:
    """Take out nodes and weights that nothing reads."""
    results = {entry.name for entry in graph.output}
    while True:
        read = results.union(*(names_read(node) for node in graph.node))
        unused = [node for node in graph.node if read.isdisjoint(node.output)]
        if not unused:
            break
        for node in unused:
            graph.node.remove(node)
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in read]:
        graph.initializer.remove(tensor)

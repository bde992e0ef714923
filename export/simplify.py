"""Fewer nodes for the same result: what the exporter computes for every text, and need not.

A third of a small model's time goes into nodes that are not products (benchmarks/log.md).
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import onnx
from onnx import helper, numpy_helper

from finsent.errors import ReleaseError


def simplify(model: onnx.ModelProto) -> None:
    """Change a model in place: constant shapes, one product for query, key and value, no unused node."""
    fix_shapes(model)
    join_products(model.graph)
    remove_unused(model.graph)


def fix_shapes(model: onnx.ModelProto) -> None:
    """Give every Reshape a constant shape where only one of its dimensions is not known from its input.

    Attention's heads are the last two of four dimensions; the exporter reads the first two off the text.
    """
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {value.name: _dimensions(value) for value in (*inferred.value_info, *inferred.input)}
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


def _dimensions(value: onnx.ValueInfoProto) -> list[int | str | None]:
    return [
        size.dim_value if size.HasField("dim_value") else size.dim_param or None
        for size in value.type.tensor_type.shape.dim
    ]


def join_products(graph: onnx.GraphProto) -> None:
    """Compute every `x @ a + b` of the same x as one product, and split its result.

    Raises ReleaseError when what follows a product is no sum with a bias: another exporter wrote the graph.
    """
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in weights:  # equal tensors are stored once
            weights[node.output[0]] = weights[node.input[0]]
    readers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            readers[name].append(node)
    products: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights:
            products[node.input[0]].append(node)
    for source, group in products.items():
        if len(group) > 1:
            _join(graph, source, group, [readers[node.output[0]][0] for node in group], weights)


def _join(
    graph: onnx.GraphProto,
    source: str,
    products: list[onnx.NodeProto],
    sums: list[onnx.NodeProto],
    weights: dict[str, np.ndarray],
) -> None:
    biases = [[name for name in node.input if name in weights] for node in sums]
    if any(len(names) != 1 for names in biases):
        raise ReleaseError(f"{products[0].name}: a sum with one bias should follow each of {len(products)}")
    name = f"{products[0].name.rsplit('/', 2)[0]}/joined"
    weight = np.concatenate([weights[node.input[1]] for node in products], axis=1)
    bias = np.concatenate([weights[names[0]] for names in biases])
    widths = np.array([weights[node.input[1]].shape[1] for node in products], dtype=np.int64)
    values = {f"{name}.weight": weight, f"{name}.bias": bias, f"{name}.widths": widths}
    graph.initializer.extend([numpy_helper.from_array(value, key) for key, value in values.items()])
    nodes: list[tuple[str, list[str], list[str], dict[str, int]]] = [
        ("MatMul", [source, f"{name}.weight"], [f"{name}/product"], {}),
        ("Add", [f"{name}.bias", f"{name}/product"], [f"{name}/sum"], {}),
        ("Split", [f"{name}/sum", f"{name}.widths"], [node.output[0] for node in sums], {"axis": -1}),
    ]
    joined = [
        helper.make_node(kind, inputs, outputs, name=f"{name}/{kind}", **attributes)
        for kind, inputs, outputs, attributes in nodes
    ]
    place = next(index for index, node in enumerate(graph.node) if node == products[0])
    for index, node in enumerate(joined):
        graph.node.insert(place + index, node)
    for node in (*products, *sums):
        graph.node.remove(node)


def remove_unused(graph: onnx.GraphProto) -> None:
    """Take out nodes and weights that nothing reads."""
    results = {entry.name for entry in graph.output}
    while True:
        read = results.union(*(node.input for node in graph.node))
        unused = [node for node in graph.node if read.isdisjoint(node.output)]
        if not unused:
            break
        for node in unused:
            graph.node.remove(node)
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in read]:
        graph.initializer.remove(tensor)

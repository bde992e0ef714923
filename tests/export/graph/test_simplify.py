from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from export.graph.simplify import join_products


def test_a_layer_has_one_product_for_query_key_and_value_and_constant_shapes(saved: Path) -> None:
    graph = onnx.load(saved / "onnx" / "model.onnx").graph
    weights = {tensor.name for tensor in graph.initializer}
    of_layer = [node for node in graph.node if "/layer.0/" in node.name]
    products = [node for node in of_layer if node.op_type == "MatMul" and node.input[1] in weights]
    assert len(products) == 4  # query with key and value, what follows attention, and two of the inner layer
    assert all(node.input[1] in weights for node in of_layer if node.op_type == "Reshape")
    assert not {node.op_type for node in of_layer} & {"Shape", "Concat"}
    assert weights <= {name for node in graph.node for name in node.input}


@pytest.mark.parametrize(
    "following",
    [
        [("Mul", ["a", "bias"], "left"), ("Mul", ["b", "bias"], "right")],
        [("Add", ["a", "b"], "left"), ("Tanh", ["b"], "right")],
        [("Add", ["a", "bias"], "left"), ("Add", ["b", "wide"], "right")],
        [("Add", ["a", "bias"], "left")],
    ],
)
def test_products_that_no_bias_follows_are_left_alone(following: list[tuple[str, list[str], str]]) -> None:
    shapes = {"one": (2, 2), "two": (2, 2), "bias": (2,), "wide": (2, 2)}
    weights = [
        numpy_helper.from_array(np.ones(shape, dtype=np.float32), name) for name, shape in shapes.items()
    ]
    nodes = [
        helper.make_node("MatMul", ["x", "one"], ["a"], name="first"),
        helper.make_node("MatMul", ["x", "two"], ["b"], name="second"),
        *(helper.make_node(kind, names, [result]) for kind, names, result in following),
    ]
    graph = helper.make_graph(nodes, "two", [], [], weights)
    before = graph.SerializeToString()
    join_products(graph)
    assert graph.SerializeToString() == before

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from export.graph.shapes import known_shapes


def test_shapes_are_told_of_inputs_weights_and_what_follows_from_them() -> None:
    weights = numpy_helper.from_array(np.ones((3, 5), dtype=np.float32), "w")
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", None, 3])
    answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Odd", ["a"], ["y"], domain="own"),
    ]
    graph = helper.make_graph(nodes, "g", [given], [answer], [weights])
    domains = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    found = known_shapes(helper.make_model(graph, opset_imports=domains))
    assert found["x"] == ["batch", None, 3]
    assert found["w"] == [3, 5]
    assert len(found["a"]) == 3 and (found["a"][0], found["a"][2]) == ("batch", 5)
    assert "y" not in found  # not even how many dimensions it has

from __future__ import annotations

import pytest
from onnx import GraphProto, helper

from export.graph.nodes import match_nodes
from finsent.errors import ReleaseError


@pytest.fixture
def graph() -> GraphProto:
    nodes = [
        helper.make_node("Tanh", ["u"], ["x"], name="/embeddings/Tanh"),
        helper.make_node("MatMul", ["x", "w"], ["a"], name="/layer.0/attention/MatMul"),
        helper.make_node("Add", ["a", "b"], ["c"], name="/layer.0/output/Add"),
        helper.make_node("MatMul", ["c", "v"], ["y"], name="/layer.1/attention/MatMul"),
    ]
    return helper.make_graph(nodes, "g", [], [])


def test_expressions_choose_nodes_by_any_part_of_their_name(graph: GraphProto) -> None:
    assert match_nodes(graph, [r"layer\.1", "Add$"]) == ["/layer.1/attention/MatMul", "/layer.0/output/Add"]
    assert match_nodes(graph, []) == []


def test_an_expression_that_matches_nothing_is_refused_with_names_that_there_are(graph: GraphProto) -> None:
    told = r"'layer\.7' matches no node of the graph; names look like \['/layer\.0/attention/MatMul', "
    with pytest.raises(ReleaseError, match=told):
        match_nodes(graph, ["attention", "layer.7"])

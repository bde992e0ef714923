"""Nodes of a graph: which an expression of a recipe means, and what each reads."""

from __future__ import annotations

import re
from collections.abc import Iterator

import onnx

from finsent.errors import ReleaseError

WEIGHTED = ["MatMul", "Gemm", "Gather"]  # operators that read the weights


def match_nodes(graph: onnx.GraphProto, expressions: list[str]) -> list[str]:
    """Return the names of the nodes that an expression matches; ReleaseError if one matches none."""
    chosen: list[str] = []
    for expression in expressions:
        found = [node.name for node in graph.node if re.search(expression, node.name)]
        if not found:
            examples = [node.name for node in graph.node if node.op_type in WEIGHTED][:3]
            raise ReleaseError(
                f"keep_float: {expression!r} matches no node of the graph; names look like {examples}"
            )
        chosen += found
    return chosen


def names_read(node: onnx.NodeProto) -> Iterator[str]:
    """Yield the tensors that a node reads, those of the graphs in it (branches of an If) included."""
    yield from node.input
    for attribute in node.attribute:
        for inner in attribute.g.node:
            yield from names_read(inner)
        yield from (entry.name for entry in attribute.g.output)

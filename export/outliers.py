"""Channels that reach far beyond the others stay out of int8: one of them would decide the scale of all.

Encoders have a few (LLM.int8(), arXiv 2208.07339): in all-mpnet-base-v2 three of 3,072 reach 100 where the
others stay below 6. What they add to a product is computed in float beside it, so a file grows by their rows
of the weights alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from finsent.scoring import Floats, Ints

FAR = 3.0  # times what all but a twentieth of the channels stay below
MOST = 16  # of one input

Ranges = dict[str, tuple[Floats, Floats]]  # lowest and highest value of each channel, by tensor


@dataclass(frozen=True)
class Outliers:
    """What a product leaves to float: channels of its input, and their rows of the weights `(n, n_out)`."""

    channels: Ints
    rows: Floats


def split_outliers(
    path: Path, feeds: Iterable[dict[str, Any]], left_out: list[str]
) -> tuple[dict[str, Outliers], dict[str, list[dict[str, Any]]]]:
    """Take the rows of outlying channels out of the weights in the file at `path`.

    Returns them by the name of the product, and the ranges of the inputs without these channels, as
    onnxruntime's quantizer takes them. `feeds` are inputs to calibrate on; `left_out` names nodes that stay
    in float.
    """
    model = onnx.load(path)
    groups = _group_products(model.graph, left_out)
    ranges = _measure_ranges(model, path, {node.input[0] for group in groups for node in group}, feeds)
    outliers: dict[str, Outliers] = {}
    narrow: dict[str, list[dict[str, Any]]] = {}
    for group in groups:
        found = [_find_outliers(*ranges[name]) for name in {node.input[0] for node in group}]
        channels = np.unique(np.concatenate(found))
        if len(channels):
            outliers |= _take_rows(model.graph, group, channels)
            narrow |= {node.input[0]: [_range(ranges[node.input[0]], channels)] for node in group}
    onnx.save(model, path)
    return outliers, narrow


def add_outliers(graph: onnx.GraphProto, outliers: dict[str, Outliers]) -> None:
    """Compute in float, beside each quantized product, what its outlying channels add."""
    made_by = {name: node for node in graph.node for name in node.output}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        nodes.append(node)
        if node.name in outliers:
            exact = made_by[made_by[node.input[0]].input[0]].input[0]
            nodes += _add_beside(graph, node, exact, outliers[node.name])
    del graph.node[:]
    graph.node.extend(nodes)


def _group_products(graph: onnx.GraphProto, left_out: list[str]) -> list[list[onnx.NodeProto]]:
    """Return the products with weights, those together that share an input or a matrix."""
    matrices = {tensor.name for tensor in graph.initializer if len(tensor.dims) == 2}
    groups: list[list[onnx.NodeProto]] = []
    for node in graph.node:
        if node.op_type != "MatMul" or node.input[1] not in matrices or node.name in left_out:
            continue
        near = [group for group in groups if any(set(node.input) & set(other.input) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append([*(other for group in near for other in group), node])
    return groups


def _measure_ranges(
    model: onnx.ModelProto, path: Path, names: set[str], feeds: Iterable[dict[str, Any]]
) -> Ranges:
    telling = onnx.ModelProto()
    telling.CopyFrom(model)
    telling.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in sorted(names))
    file = path.with_name("ranges.onnx")
    onnx.save(telling, file)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    ranges: Ranges = {}
    for feed in feeds:
        for name, values in zip(sorted(names), session.run(sorted(names), feed), strict=True):
            flat = values.reshape(-1, values.shape[-1])
            low, high = ranges.get(name, (np.inf, -np.inf))
            ranges[name] = np.minimum(low, flat.min(axis=0)), np.maximum(high, flat.max(axis=0))
    return ranges


def _find_outliers(low: Floats, high: Floats) -> Ints:
    reach = np.maximum(high, -low)
    far = np.flatnonzero(reach > FAR * np.quantile(reach, 0.95))
    return far[np.argsort(-reach[far], kind="stable")][:MOST]


def _range(channels_range: tuple[Floats, Floats], left_out: Ints) -> dict[str, Any]:
    low, high = (np.delete(values, left_out) for values in channels_range)
    return {"rmin": np.float32(low.min()), "rmax": np.float32(high.max())}


def _take_rows(graph: onnx.GraphProto, group: list[onnx.NodeProto], channels: Ints) -> dict[str, Outliers]:
    weights = {tensor.name: tensor for tensor in graph.initializer}
    rows = {
        name: numpy_helper.to_array(weights[name])[channels] for name in {node.input[1] for node in group}
    }
    for name in rows:
        values = numpy_helper.to_array(weights[name]).copy()
        values[channels] = 0
        weights[name].CopyFrom(numpy_helper.from_array(values, name))
    return {node.name: Outliers(channels, rows[node.input[1]]) for node in group}


def _add_beside(
    graph: onnx.GraphProto, node: onnx.NodeProto, exact: str, outliers: Outliers
) -> list[onnx.NodeProto]:
    """Return the nodes that make the product's result of its int8 part and of the outlying channels."""
    whole, name = node.output[0], f"{node.name}/outliers"
    node.output[0] = f"{name}/others"
    for what, values in (("channels", outliers.channels.astype(np.int64)), ("rows", outliers.rows)):
        graph.initializer.append(numpy_helper.from_array(values, f"{name}/{what}"))
    return [
        helper.make_node(
            "Gather", [exact, f"{name}/channels"], [f"{name}/values"], f"{name}/Gather", axis=-1
        ),
        helper.make_node("MatMul", [f"{name}/values", f"{name}/rows"], [f"{name}/product"], f"{name}/MatMul"),
        helper.make_node("Sum", [f"{name}/others", f"{name}/product"], [whole], f"{name}/Sum"),
    ]

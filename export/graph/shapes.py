"""What is known of the shapes in a graph before it runs."""

from __future__ import annotations

import onnx

Dimensions = list[int | str | None]  # a size, the name of one that the caller chooses, or unknown


def known_shapes(model: onnx.ModelProto) -> dict[str, Dimensions]:
    """Return the dimensions of every tensor of which at least their number can be told."""
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    values = [*graph.value_info, *graph.input, *graph.output]
    found = {value.name: _dimensions(value) for value in values if value.type.tensor_type.HasField("shape")}
    return found | {tensor.name: list(tensor.dims) for tensor in graph.initializer}


def _dimensions(value: onnx.ValueInfoProto) -> Dimensions:
    return [
        size.dim_value if size.HasField("dim_value") else size.dim_param or None
        for size in value.type.tensor_type.shape.dim
    ]

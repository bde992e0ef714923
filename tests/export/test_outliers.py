from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper
from tokenizers import Tokenizer

from export import outliers
from export.outliers import MOST, _find_outliers, _group_products, split_outliers
from export.quantize import _batches, _free_residuals, quantize
from finsent.recipe.export import Variant
from finsent.scoring import Floats
from inference.classifier import Classifier
from tests import tiny

TEXTS = [row["text"] for row in tiny.make_rows()]
CHANNEL = 3
FAR_OUT = "layer.0/output/dense/MatMul"


@pytest.fixture
def planted(saved: Path) -> Path:
    """A model whose first feed-forward layer has one channel at 60, as large encoders have by themselves."""
    file = saved / "onnx" / "model.onnx"
    model = onnx.load(file)
    values = {tensor.name: numpy_helper.to_array(tensor).copy() for tensor in model.graph.initializer}
    [product] = [node for node in model.graph.node if node.name.endswith(FAR_OUT)]
    [bias] = [name for name in values if name.endswith("layer.0.intermediate.dense.bias")]
    values[bias][CHANNEL] = 60
    values[product.input[1]][CHANNEL] /= 60
    for tensor in model.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(values[tensor.name], tensor.name))
    onnx.save(model, file)
    return saved


def results(folder: Path, file: str) -> Floats:
    """What the product with the outlier gives for TEXTS, `(n_tokens, n_out)`."""
    model = onnx.load(folder / "onnx" / file)
    [name] = [
        name for node in model.graph.node for name in node.output if name.endswith(f"{FAR_OUT}_output_0")
    ]
    model.graph.output.append(helper.make_empty_tensor_value_info(name))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    feeds = _batches(tokenizer, TEXTS, [entry.name for entry in session.get_inputs()])
    return np.concatenate([session.run([name], feed)[0].reshape(-1, 32) for feed in feeds])


def error(folder: Path) -> float:
    quantize(folder, Variant(name="quantized"), TEXTS)
    return float(np.abs(results(folder, "model.onnx") - results(folder, "model_quantized.onnx")).mean())


def test_an_outlying_channel_costs_the_others_nothing(planted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_it = error(planted)
    monkeypatch.setattr(outliers, "FAR", np.inf)
    assert 0 < without_it < error(planted) / 10


def test_an_outlying_channel_is_computed_in_float_beside_the_others(planted: Path) -> None:
    quantize(planted, Variant(name="quantized"), TEXTS)
    graph = onnx.load(planted / "onnx" / "model_quantized.onnx").graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes = {node.name: node for node in graph.node}
    [side] = [name for name in nodes if name.endswith(f"{FAR_OUT}/outliers/MatMul")]
    gather, whole = (
        nodes[side.replace("/MatMul", "/Gather").replace("dense/Gather", "dense/MatMul")],
        nodes[side],
    )
    assert values[gather.input[1]].tolist() == [CHANNEL]
    assert "Dequantize" not in gather.input[0] and values[whole.input[1]].any()
    product = nodes[side.removesuffix("/outliers/MatMul")]
    [unpack] = [node for node in graph.node if node.output[0] == product.input[1]]
    assert not values[unpack.input[0]][CHANNEL].any() and values[unpack.input[0]].any()


def test_texts_have_no_neighbours_in_a_file_with_outliers(planted: Path) -> None:
    quantize(planted, Variant(name="quantized"), TEXTS)
    small = Classifier(planted)
    alone = np.concatenate([small.predict([text]) for text in TEXTS[:20]])
    assert np.array_equal(alone, small.predict([*TEXTS[:20], "a much longer text " * 8])[:20])


def test_a_product_that_stays_in_float_reads_nothing_rounded(planted: Path) -> None:
    keep = [r"layer\.0/attention/self/query"]
    quantize(planted, Variant(name="quantized", keep_float=keep), TEXTS)
    graph = onnx.load(planted / "onnx" / "model_quantized.onnx").graph
    kept = [
        node
        for node in graph.node
        if "layer.0/attention/self/query" in node.name and node.op_type == "MatMul"
    ]
    assert kept and not [name for node in kept for name in node.input if "Linear" in name]


def test_few_channels_are_outliers_and_the_farthest_come_first() -> None:
    high = np.ones(1000)
    high[[7, 500]] = 9, 5
    low = -np.ones(1000)
    low[20] = -30
    assert _find_outliers(low, high).tolist() == [20, 7, 500]
    assert len(_find_outliers(np.zeros(100), np.ones(100))) == 0
    high[:40] = np.arange(10, 50)
    assert _find_outliers(low, high).tolist() == list(range(39, 39 - MOST, -1))


def test_products_that_share_an_input_or_weights_are_split_alike() -> None:
    def node(name: str, *inputs: str) -> onnx.NodeProto:
        return helper.make_node("MatMul", inputs, [f"{name}-out"], name)

    matrices = [numpy_helper.from_array(np.ones((2, 2), np.float32), name) for name in "ABCD"]
    nodes = [
        node("1", "x", "A"),
        node("2", "y", "B"),
        node("3", "x", "B"),
        node("4", "z", "C"),
        node("5", "u", "v"),
    ]
    graph = helper.make_graph([*nodes, node("6", "z", "D")], "graph", [], [], matrices)
    groups = [sorted(one.name for one in group) for group in _group_products(graph, ["6"])]
    assert groups == [["1", "2", "3"], ["4"]]


def test_inputs_of_the_same_weights_leave_out_each_others_outliers(tmp_path: Path) -> None:
    size, far = 40, {"x": 2, "y": 4}
    weights = numpy_helper.from_array(np.ones((size, 3), np.float32), "W")
    nodes = [helper.make_node("MatMul", [name, "W"], [f"{name}-out"], name) for name in far]
    tensors = {name: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, size]) for name in far}
    outputs = [helper.make_empty_tensor_value_info(f"{name}-out") for name in far]
    graph = helper.make_graph(nodes, "graph", list(tensors.values()), outputs, [weights])
    path = tmp_path / "shared.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    feed = {name: np.ones((1, size), np.float32) for name in far}
    for name, channel in far.items():
        feed[name][0, channel] = 50
    found, ranges = split_outliers(path, [feed], [])
    assert {name: one.channels.tolist() for name, one in found.items()} == {"x": [2, 4], "y": [2, 4]}
    assert {name: told[0]["rmax"] for name, told in ranges.items()} == {"x": 1, "y": 1}
    [left] = onnx.load(path).graph.initializer
    assert np.flatnonzero(~numpy_helper.to_array(left).any(axis=1)).tolist() == [2, 4]


def test_of_two_products_of_one_input_the_one_in_float_reads_it_unrounded() -> None:
    nodes = [
        helper.make_node("Relu", ["input"], ["x"]),
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["dq"]),
        helper.make_node("DequantizeLinear", ["W8", "s", "z"], ["W"]),
        helper.make_node("MatMul", ["dq", "W"], ["small"]),
        helper.make_node("MatMul", ["dq", "V"], ["exact"]),
    ]
    graph = helper.make_graph(nodes, "graph", [], [])
    _free_residuals(graph)
    assert [list(node.input) for node in graph.node[4:]] == [["dq", "W"], ["x", "V"]]

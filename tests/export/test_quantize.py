from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from export.gate import Drift, check_budget, measure_drift
from export.graph.simplify import join_products
from export.quantize import quantize
from export.to_onnx import export_onnx
from finsent.encoder.load import load_base
from finsent.errors import ReleaseError
from finsent.recipe.export import Budget, Variant
from finsent.recipe.recipe import Recipe
from inference.classifier import Classifier
from tests import tiny

TEXTS = [row["text"] for row in tiny.make_rows()]


@pytest.fixture
def saved(tiny_recipe: Recipe, tmp_path: Path) -> Path:
    folder = tmp_path / "saved"
    load_base(tiny_recipe, TEXTS).save(folder)
    export_onnx(folder, opset=18)
    return folder


def test_a_variant_is_one_file(saved: Path) -> None:
    quantize(saved, Variant(name="quantized", calibration_rows=16), TEXTS[:16])
    assert sorted(path.name for path in (saved / "onnx").iterdir()) == ["model.onnx", "model_quantized.onnx"]


def test_the_quantized_file_is_batch_invariant_and_close(saved: Path) -> None:
    quantize(saved, Variant(name="quantized"), TEXTS)
    exact, small = Classifier(saved, "onnx/model.onnx"), Classifier(saved)
    alone = np.concatenate([small.predict([text]) for text in TEXTS[:20]])
    together = small.predict([*TEXTS[:20], "a much longer text " * 8])[:20]
    assert np.array_equal(alone, together)
    assert 0 < np.abs(small.predict(TEXTS) - exact.predict(TEXTS)).max() < 0.1


def test_what_enters_a_product_is_rounded_and_its_result_is_not(saved: Path) -> None:
    quantize(saved, Variant(name="quantized"), TEXTS)
    nodes = list(onnx.load(saved / "onnx" / "model_quantized.onnx").graph.node)
    both = [node for node in nodes if node.op_type in ("MatMul", "Gemm")]
    of_attention = [node for node in both if re.search(r"attention/self/MatMul(_1)?$", node.name)]
    assert len(of_attention) == 4  # two a layer, of activations with activations: no weights to make small
    assert not any("Dequantize" in name for node in of_attention for name in node.input)
    products = [node for node in both if node not in of_attention]
    assert {node.op_type for node in products} == {"MatMul", "Gemm"}
    for node in products:
        assert all("DequantizeLinear" in name for name in node.input[:2]), node.name
    rounded = {name for node in nodes if node.op_type == "QuantizeLinear" for name in node.input[:1]}
    assert not rounded & {node.output[0] for node in products}
    others = [node for node in nodes if node not in products and "/embeddings/" not in node.name]
    assert not [name for node in others for name in node.input if name.endswith("DequantizeLinear_Output")]


def test_onnxruntime_fuses_no_sum_of_the_quantized_file(saved: Path, tmp_path: Path) -> None:
    quantize(saved, Variant(name="quantized"), TEXTS)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    file = saved / "onnx" / "model_quantized.onnx"
    onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    kinds = Counter(node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node)
    assert kinds["SkipLayerNormalization"] == 0
    assert kinds["Sum"] == kinds["LayerNormalization"] == 5


def test_nodes_that_stay_in_float_are_found_by_expression(saved: Path) -> None:
    folder = saved / "onnx"
    quantize(saved, Variant(name="quantized"), TEXTS)
    everything = (folder / "model_quantized.onnx").stat().st_size
    quantize(saved, Variant(name="quantized", keep_float=[r"layer\.0/output/dense/MatMul"]), TEXTS)
    assert (folder / "model_quantized.onnx").stat().st_size > everything
    nodes = {node.name: node for node in onnx.load(folder / "model_quantized.onnx").graph.node}
    kept = [node for name, node in nodes.items() if name.endswith("layer.0/output/dense/MatMul")]
    assert not any("DequantizeLinear" in name for node in kept for name in node.input)
    with pytest.raises(ReleaseError, match=r"'nothing' matches no node of the graph; names look like"):
        quantize(saved, Variant(name="quantized", keep_float=["nothing"]), TEXTS)


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


def test_the_exported_file_answers_like_pytorch(saved: Path, tiny_recipe: Recipe) -> None:
    import torch

    base = load_base(tiny_recipe, TEXTS)
    with torch.inference_mode():
        logits = base.model.eval()(**base.tokenizer()(TEXTS, padding=True, return_tensors="pt")).logits
    found = Classifier(saved, "onnx/model.onnx").predict(TEXTS)
    assert np.abs(torch.softmax(logits, -1).numpy() - found).max() < 1e-5


def test_drift_counts_flips_and_differences() -> None:
    reference = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    variant = np.array([[0.8, 0.2], [0.6, 0.4], [0.2, 0.8]])
    drift = measure_drift(reference, variant, variant[:1], variant[:1] + 0.25, np.array([0, 1, 1]))
    assert (drift.flips, drift.flip_share) == (1, pytest.approx(1 / 3))
    assert drift.max_probability_difference == pytest.approx(0.2)
    assert drift.macro_f1_drop == pytest.approx(1 - 2 / 3)
    assert drift.batch_difference == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"macro_f1_drop": 0.02}, ["macro F1 falls by 0.02, allowed 0.015"]),
        ({"flip_share": 0.07}, ["labels that flip 0.07, allowed 0.06"]),
        ({"batch_difference": 0.1}, ["alone and padded 0.1, allowed 1e-06"]),
        ({}, []),
    ],
)
def test_the_gate_says_what_is_over_budget(change: dict[str, float], words: list[str]) -> None:
    drift = Drift(**{"flips": 1, "flip_share": 0.01, "max_probability_difference": 0.1, "macro_f1_drop": 0.0,
                     "batch_difference": 0.0} | change)  # fmt: skip
    reasons = check_budget(drift, Budget())
    assert len(reasons) == len(words)
    assert all(word in reason for word, reason in zip(words, reasons, strict=True))


def test_a_file_that_answers_with_no_number_is_over_budget() -> None:
    drift = Drift(0, 0.0, float("nan"), 0.0, batch_difference=float("nan"))
    assert check_budget(drift, Budget()) == ["largest |Δp| between alone and padded nan, allowed 1e-06"]

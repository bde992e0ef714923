from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from tokenizers import Tokenizer

from export.quantize import _batches, _share_out, quantize
from finsent.errors import ReleaseError
from finsent.recipe.export import Variant
from inference.classifier import Classifier
from tests import tiny

TEXTS = [row["text"] for row in tiny.make_rows()]


def test_a_variant_is_one_file(saved: Path) -> None:
    quantize(saved, Variant(name="quantized", calibration_rows=16), TEXTS[:16])
    assert sorted(path.name for path in (saved / "onnx").iterdir()) == ["model.onnx", "model_quantized.onnx"]


def test_the_quantized_file_says_no_more_than_runtimes_need(saved: Path) -> None:
    graph = onnx.load(quantize(saved, Variant(name="quantized", calibration_rows=16), TEXTS[:16])).graph
    read = {name for node in graph.node for name in node.input} | {entry.name for entry in graph.output}
    assert not graph.value_info
    assert {tensor.name for tensor in graph.initializer} <= read
    assert all(read & set(node.output) for node in graph.node)


@pytest.mark.parametrize(
    ("lengths", "batches"),
    [
        ([128] * 20, [(0, 16), (16, 20)]),
        ([100, 500, 500, 500, 500, 100], [(0, 4), (4, 6)]),
        ([3000, 3000, 5], [(0, 1), (1, 2), (2, 3)]),
        ([], []),
    ],
)
def test_long_texts_are_calibrated_on_a_few_at_a_time(
    lengths: list[int], batches: list[tuple[int, int]]
) -> None:
    assert list(_share_out(lengths)) == batches


def test_batches_hold_every_text_once_and_are_padded_alone(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("export.quantize.TOKENS_A_BATCH", 100)
    tokenizer = Tokenizer.from_file(str(saved / "tokenizer.json"))
    texts = ["up", *["profit up in May " * 3] * 40, "flat"]
    found = list(_batches(tokenizer, texts, ["input_ids", "attention_mask"]))
    assert sum(len(one["input_ids"]) for one in found) == 42 and len(found) > 4
    assert all(one["input_ids"].size <= 100 for one in found)
    assert all((one["attention_mask"].sum(axis=1).max() == one["input_ids"].shape[1]) for one in found)


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

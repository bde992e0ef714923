from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from export.first_token import keep_first_token
from export.to_onnx import export_onnx
from finsent.base_model import load_base
from finsent.recipe import Recipe
from finsent.release import save_model
from space.classifier import Classifier
from tests import tiny
from tests.test_base_model import change

TEXTS = [row["text"] for row in tiny.make_rows()]
WIDTH = 4

Node = tuple[str, list[str], str]


def make_model(nodes: list[Node], results: list[str]) -> onnx.ModelProto:
    """Make a graph over hidden states `x` `(batch, tokens, 4)` that ends in the first token of `h`."""
    weights = {"w": np.eye(WIDTH) * 2, "b": np.arange(WIDTH), "by_token": np.ones((3, WIDTH))}
    constants = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    constants.append(numpy_helper.from_array(np.array(0, dtype=np.int64), "zero"))
    made = [helper.make_node(kind, names, [result], name=result) for kind, names, result in nodes]
    made.append(helper.make_node("Gather", ["h", "zero"], ["first"], axis=1))
    shape = ["batch", "tokens", WIDTH]
    graph = helper.make_graph(
        made,
        "first token",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ["first", *results]],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model: onnx.ModelProto) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(0).normal(size=(2, 3, WIDTH)).astype(np.float32)
    return [np.asarray(found) for found in session.run(None, {"x": x})]


def cut(model: onnx.ModelProto) -> list[str]:
    """Return what is cut to its first token."""
    return [node.input[0] for node in model.graph.node if node.op_type == "Slice"]


@pytest.mark.parametrize(
    ("nodes", "results", "expected"),
    [
        ([("MatMul", ["x", "w"], "m"), ("Add", ["b", "m"], "s"), ("Tanh", ["s"], "h")], [], ["x"]),
        ([("MatMul", ["x", "w"], "m"), ("Add", ["m", "x"], "h")], [], ["x"]),
        ([("MatMul", ["x", "w"], "m"), ("Tanh", ["m"], "h")], ["m"], ["m"]),
        ([("MatMul", ["x", "w"], "m"), ("Tanh", ["m"], "h")], ["h"], []),
        ([("Tanh", ["x"], "t"), ("ReduceMax", ["t"], "top"), ("Add", ["t", "top"], "h")], [], ["t"]),
        ([("CumSum", ["x", "zero"], "c"), ("Exp", ["c"], "e"), ("Tanh", ["e"], "h")], [], ["e"]),
        ([("Tanh", ["x"], "t"), ("Add", ["t", "by_token"], "a"), ("Tanh", ["a"], "h")], [], ["a"]),
    ],
)  # fmt: skip
def test_what_follows_row_by_row_is_computed_for_the_first_token(
    nodes: list[Node], results: list[str], expected: list[str]
) -> None:
    model = make_model(nodes, results)
    before = run(model)
    keep_first_token(model)
    assert cut(model) == expected
    for old, new in zip(before, run(model), strict=True):
        assert np.array_equal(old, new)


def test_what_another_token_needs_is_left_whole() -> None:
    model = make_model(
        [("Tanh", ["x"], "t"), ("Transpose", ["t"], "turned"), ("Tanh", ["t"], "h")], ["turned"]
    )
    before = run(model)
    keep_first_token(model)
    assert cut(model) == ["t"]
    assert all(np.array_equal(old, new) for old, new in zip(before, run(model), strict=True))


def test_a_graph_that_takes_no_first_token_stays_as_it_is() -> None:
    model = make_model([("Tanh", ["x"], "h")], ["h"])
    model.graph.node[-1].attribute[0].i = 0
    before = model.SerializeToString()
    keep_first_token(model)
    assert model.SerializeToString() == before


@pytest.mark.parametrize("kind", ["bert", "distilbert"])
def test_the_last_layer_is_made_for_one_token_and_answers_like_pytorch(
    kind: str, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    recipe = change(tiny_recipe, path=str(tiny.save_encoder(tmp_path / kind, kind)))
    base, folder = load_base(recipe, TEXTS), tmp_path / "saved"
    save_model(base, folder)
    graph = onnx.load(export_onnx(folder, opset=18)).graph
    hidden = next(name for name in cut(onnx.load(folder / "onnx" / "model.onnx")) if "LayerNorm" in name)
    readers = [node for node in graph.node if f"{hidden}/first" in node.input]
    assert "/layer.0/" in hidden
    # BERT: the query, and what goes around attention; DistilBERT reads the shape of its mask off all queries
    assert [node.op_type for node in readers] == (["MatMul", "Add"] if kind == "bert" else ["Add"])
    with torch.inference_mode():
        logits = base.model.eval()(**base.tokenizer()(TEXTS, padding=True, return_tensors="pt")).logits
    found = Classifier(folder, "onnx/model.onnx").predict(TEXTS)
    assert np.abs(torch.softmax(logits, -1).numpy() - found).max() < 1e-5

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from export.graph.first_token import keep_first_token
from export.to_onnx import export_onnx
from finsent.encoder.load import load_base
from finsent.recipe.recipe import Recipe
from inference.classifier import Classifier
from tests import tiny
from tests.finsent.encoder.samples import change

TEXTS = [row["text"] for row in tiny.make_rows()]
SIZE = {"batch": 2, "tokens": 3, "heads": 2, "width": 4}
CONSTANTS: dict[str, Any] = {
    "zero": np.array(0),
    "one": np.array(1),
    "list": np.array([0]),
    "halves": np.array([0, -1, 6]),
    "turned": np.array([3, -1, 4]),
    "grown": np.array([0, -1]),
    "weights": np.eye(4, dtype=np.float32) * 2,
    "vector": np.ones(4, dtype=np.float32),
    "bias": np.arange(4, dtype=np.float32),
    "by_token": np.arange(12, dtype=np.float32).reshape(3, 4),
}

Node = tuple[str, list[str], str] | tuple[str, list[str], str, dict[str, Any]]
FIRST: Node = ("Gather", ["h", "zero"], "first", {"axis": 1})
HIDDEN = ["batch", "tokens", "width"]
TURN = {"perm": [0, 2, 1]}


def make_model(nodes: list[Node], results: list[str], shape: list[str]) -> onnx.ModelProto:
    """Make a graph over an input x of that shape."""
    made = [
        helper.make_node(kind, names, [result], name=result, **attributes)
        for kind, names, result, attributes in [(*node, {})[:4] for node in nodes]
    ]
    dimensions = [SIZE[name] if name in ("width", "heads") else name for name in shape]
    graph = helper.make_graph(
        made,
        "first token",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, dimensions)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in results],
        [numpy_helper.from_array(value, name) for name, value in CONSTANTS.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def cut(model: onnx.ModelProto) -> list[str]:
    """Return what is cut to its first token."""
    return [node.input[0] for node in model.graph.node if node.op_type == "Slice"]


def cut_and_compare(model: onnx.ModelProto, shape: list[str]) -> list[str]:
    """Return what is cut of a model that answers as before."""
    x = np.random.default_rng(0).normal(size=[SIZE[name] for name in shape]).astype(np.float32)
    before = _run(model, x)
    keep_first_token(model)
    after = _run(model, x)
    assert [found.shape for found in after] == [found.shape for found in before]
    for old, new in zip(before, after, strict=True):
        assert np.allclose(old, new, atol=1e-6)
    return cut(model)


def _run(model: onnx.ModelProto, x: np.typing.NDArray[np.float32]) -> list[Any]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(None, {"x": x}))


@pytest.mark.parametrize(
    ("nodes", "results", "expected"),
    [
        ([("MatMul", ["x", "weights"], "m"), ("Add", ["bias", "m"], "s"), ("Tanh", ["s"], "h")], [], ["x"]),
        ([("MatMul", ["x", "weights"], "m"), ("Add", ["m", "x"], "h")], [], ["x"]),
        ([("MatMul", ["x", "weights"], "m"), ("Tanh", ["m"], "h")], ["m"], ["m"]),
        ([("MatMul", ["x", "weights"], "m"), ("Tanh", ["m"], "h")], ["h"], []),
        ([("Tanh", ["x"], "t"), ("ReduceMax", ["t"], "top"), ("Add", ["t", "top"], "h")], [], ["t"]),
        ([("CumSum", ["x", "zero"], "c"), ("Exp", ["c"], "e"), ("Tanh", ["e"], "h")], [], ["e"]),
        ([("Tanh", ["x"], "t"), ("Add", ["t", "by_token"], "a"), ("Tanh", ["a"], "h")], [], ["a"]),
        ([("Tanh", ["x"], "t"), ("Transpose", ["t"], "u", TURN), ("Tanh", ["t"], "h")], ["u"], ["t"]),
        ([("Softmax", ["x"], "h", {"axis": 1})], [], []),
        ([("Softmax", ["x"], "h", {"axis": 2})], [], ["x"]),
        ([("Transpose", ["x"], "u", TURN), ("MatMul", ["x", "u"], "s"), ("MatMul", ["s", "s"], "h")], [], []),
        ([("Transpose", ["x"], "u", TURN), ("MatMul", ["x", "u"], "h")], [], ["x"]),
        ([("Transpose", ["x"], "u", TURN), ("Softmax", ["u"], "h")], [], ["x"]),
        (
            [("Transpose", ["x"], "u", TURN), ("Softmax", ["u"], "s"), ("Transpose", ["s"], "h", TURN)],
            [],
            ["s"],
        ),
        ([("Transpose", ["x"], "h", {"perm": [1, 2, 0]})], [], ["x"]),
        ([("Reshape", ["x", "halves"], "h")], [], []),
        ([("Reshape", ["x", "turned"], "h")], [], []),
    ],
)  # fmt: skip
def test_what_follows_row_by_row_is_computed_for_the_first_token(
    nodes: list[Node], results: list[str], expected: list[str]
) -> None:
    assert cut_and_compare(make_model([*nodes, FIRST], ["first", *results], HIDDEN), HIDDEN) == expected


@pytest.mark.parametrize(
    ("nodes", "shape"),
    [
        ([("MatMul", ["x", "vector"], "h")], ["batch", "tokens", "heads", "width"]),
        ([("MatMul", ["x", "weights"], "h")], ["batch", "tokens", "heads", "width"]),
        ([("Reshape", ["x", "grown"], "h")], ["batch"]),
        ([("Tanh", ["x"], "t"), ("Reshape", ["t", "grown"], "h")], ["batch"]),
    ],
)
def test_other_shapes_are_left_as_they_are(nodes: list[Node], shape: list[str]) -> None:
    assert cut_and_compare(make_model([*nodes, FIRST], ["first"], shape), shape) == []


@pytest.mark.parametrize(
    ("index", "axis"),
    [("one", 1), ("zero", 2), ("zero", 0), ("list", 1)],
)
def test_a_graph_that_takes_something_else_stays_as_it_is(index: str, axis: int) -> None:
    taken: Node = ("Gather", ["h", index], "first", {"axis": axis})
    assert cut_and_compare(make_model([("Tanh", ["x"], "h"), taken], ["first"], HIDDEN), HIDDEN) == []


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([("Tanh", ["x"], "t"), ("Tanh", ["t"], "h"), ("Transpose", ["t"], "u", TURN)], ["t", "t"]),
        ([("Tanh", ["x"], "h"), ("Transpose", ["h"], "u", TURN)], ["h"]),
        ([("Tanh", ["x"], "h"), ("Transpose", ["x"], "u", TURN)], ["x", "x"]),
    ],
)
def test_two_axes_of_one_tensor_do_not_get_mixed_up(nodes: list[Node], expected: list[str]) -> None:
    second: Node = ("Gather", ["u", "zero"], "second", {"axis": 1})
    model = make_model([*nodes, FIRST, second], ["first", "second"], HIDDEN)
    assert cut_and_compare(model, HIDDEN) == expected


def test_shapes_that_the_graph_states_do_not_contradict_what_was_cut() -> None:
    model = make_model([("MatMul", ["x", "weights"], "m"), ("Tanh", ["m"], "h"), FIRST], ["first"], HIDDEN)
    model = onnx.shape_inference.infer_shapes(model)
    assert len(model.graph.value_info) == 2
    assert cut_and_compare(model, HIDDEN) == ["x"]
    onnx.checker.check_model(model, full_check=True)
    assert not model.graph.value_info


def test_what_a_graph_within_a_node_reads_is_not_touched() -> None:
    model = make_model([("Tanh", ["x"], "t"), ("Tanh", ["t"], "h"), FIRST], ["first"], HIDDEN)
    result = helper.make_tensor_value_info("sum", TensorProto.FLOAT, None)
    branch = helper.make_graph([helper.make_node("ReduceSum", ["t"], ["sum"])], "branch", [], [result])
    model.graph.node.append(helper.make_node("If", ["yes"], ["both"], then_branch=branch, else_branch=branch))
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    model.graph.output.append(helper.make_tensor_value_info("both", TensorProto.FLOAT, None))
    assert cut_and_compare(model, HIDDEN) == []


@pytest.mark.parametrize(("kind", "opset"), [("bert", 17), ("bert", 20), ("distilbert", 17)])
def test_an_exported_encoder_narrows_its_last_layer_and_answers_like_pytorch(
    kind: str, opset: int, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    recipe = change(tiny_recipe, path=str(tiny.save_encoder(tmp_path / kind, kind)))
    base, folder = load_base(recipe, TEXTS), tmp_path / "saved"
    base.save(folder)
    model = onnx.load(export_onnx(folder, opset))
    hidden = next(name for name in cut(model) if "LayerNorm" in name)
    assert "/layer.0/" in hidden
    # BERT: the query, and what goes around attention; DistilBERT reads the shape of its mask off all queries
    readers = [node.op_type for node in model.graph.node if f"{hidden}/first-1" in node.input]
    assert readers == (["MatMul", "Add"] if kind == "bert" else ["Add"])
    with torch.inference_mode():
        logits = base.model.eval()(**base.tokenizer()(TEXTS, padding=True, return_tensors="pt")).logits
    found = Classifier(folder, "onnx/model.onnx").predict(TEXTS)
    assert np.abs(torch.softmax(logits, -1).numpy() - found).max() < 1e-5

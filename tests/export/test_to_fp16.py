from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from export.to_fp16 import convert_to_fp16
from finsent.errors import ReleaseError
from finsent.onnx_files import FP16, FP32
from inference.classifier import Classifier
from tests import tiny

TEXTS = [row["text"] for row in tiny.make_rows()]


def test_the_fp16_file_takes_and_gives_what_the_fp32_file_does(saved: Path) -> None:
    assert convert_to_fp16(saved, []) == saved / "onnx" / "model_fp16.onnx"
    exact, half = (onnx.load(saved / file.path).graph for file in (FP32, FP16))
    assert list(half.input) == list(exact.input) and list(half.output) == list(exact.output)
    matrices = [tensor for tensor in half.initializer if len(tensor.dims) == 2]
    assert matrices and {tensor.data_type for tensor in matrices} == {TensorProto.FLOAT16}
    assert (saved / FP16.path).stat().st_size < 0.7 * (saved / FP32.path).stat().st_size


def test_the_fp16_file_is_close_and_nearly_batch_invariant(saved: Path) -> None:
    convert_to_fp16(saved, [])
    exact, half = (Classifier(saved, file.path) for file in (FP32, FP16))
    assert 0 < np.abs(half.predict(TEXTS) - exact.predict(TEXTS)).max() < 1e-3
    alone = np.concatenate([half.predict([text]) for text in TEXTS[:20]])
    together = half.predict([*TEXTS[:20], "a much longer text " * 8])[:20]
    assert np.abs(alone - together).max() < 1e-3


def test_nodes_stay_in_fp32_by_expression(saved: Path) -> None:
    convert_to_fp16(saved, [r"layer\.0/output/dense/MatMul"])
    graph = onnx.load(saved / FP16.path).graph
    (kept,) = [node for node in graph.node if node.name.endswith("layer.0/output/dense/MatMul")]
    weights = {tensor.name: tensor.data_type for tensor in graph.initializer}
    assert weights[kept.input[1]] == TensorProto.FLOAT
    with pytest.raises(ReleaseError, match="'nothing' matches no node of the graph"):
        convert_to_fp16(saved, ["nothing"])

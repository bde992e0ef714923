from __future__ import annotations

import logging
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from export.to_q4 import convert_to_q4
from finsent.errors import ReleaseError
from finsent.onnx_files import FP32, Q4
from inference.classifier import Classifier
from tests import tiny
from tests.export.four_bits import read_weights

TEXTS = [row["text"] for row in tiny.make_rows()]


def test_the_q4_file_takes_and_gives_what_the_fp32_file_does(saved: Path) -> None:
    assert convert_to_q4(saved, []) == saved / "onnx" / "model_q4.onnx"
    exact, small = (onnx.load(saved / file.path).graph for file in (FP32, Q4))
    assert list(small.input) == list(exact.input) and list(small.output) == list(exact.output)
    assert sorted(path.name for path in (saved / "onnx").iterdir()) == ["model.onnx", "model_q4.onnx"]
    assert (saved / Q4.path).stat().st_size < 0.6 * (saved / FP32.path).stat().st_size


def test_products_and_tables_have_4_bits_and_nothing_else(saved: Path) -> None:
    convert_to_q4(saved, [])
    graph = onnx.load(saved / Q4.path).graph
    kinds = Counter(node.op_type for node in graph.node)
    weights = {tensor.name: tensor for tensor in graph.initializer}
    assert kinds["GatherBlockQuantized"] == 3  # pieces, positions, token types
    assert kinds["MatMulNBits"] >= 8
    assert not [node for node in graph.node if node.op_type == "MatMul" and node.input[1] in weights]


def test_the_q4_file_is_close_and_nearly_batch_invariant(saved: Path) -> None:
    convert_to_q4(saved, [])
    exact, small = (Classifier(saved, file.path) for file in (FP32, Q4))
    assert 0 < np.abs(small.predict(TEXTS) - exact.predict(TEXTS)).max() < 0.1
    alone = np.concatenate([small.predict([text]) for text in TEXTS[:20]])
    together = small.predict([*TEXTS[:20], "a much longer text " * 8])[:20]
    assert np.abs(alone - together).max() < 1e-6


def test_every_weight_is_the_nearest_of_its_sixteen(saved: Path) -> None:
    found = read_weights(convert_to_q4(saved, []))
    graph = onnx.load(saved / FP32.path).graph
    exact = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    assert len(found) >= 11
    for name, (weights, steps) in found.items():
        assert (np.abs(weights - exact[name]) <= 0.51 * steps + 1e-7).all(), name


def test_nodes_stay_in_fp32_by_expression(saved: Path) -> None:
    convert_to_q4(saved, [r"layer\.0/output/dense/MatMul", "word_embeddings/Gather"])
    nodes = {node.name: node.op_type for node in onnx.load(saved / Q4.path).graph.node}
    kept = [kind for name, kind in nodes.items() if name.endswith("layer.0/output/dense/MatMul")]
    assert kept == ["MatMul"]
    assert [kind for name, kind in nodes.items() if "word_embeddings" in name] == ["Gather"]
    with pytest.raises(ReleaseError, match="'nothing' matches no node of the graph"):
        convert_to_q4(saved, ["nothing"])


def test_it_leaves_logging_as_it_was_and_says_nothing(saved: Path) -> None:
    told = (
        "import logging, sys; from pathlib import Path; from export.to_q4 import convert_to_q4; "
        "convert_to_q4(Path(sys.argv[1]), []); root = logging.getLogger(); print(root.handlers, root.level)"
    )
    done = subprocess.run(
        [sys.executable, "-c", told, str(saved)], capture_output=True, text=True, check=True, cwd=tiny.ROOT
    )
    assert (done.stdout, done.stderr) == (f"[] {logging.WARNING}\n", "")

"""Every runtime gives the same answer: exact for fp32, and for one quantized file on one CPU.

FINSENT_RELEASE names a release to test, such as runs/quickstart/release; without it a tiny one is made.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from optimum.onnxruntime import ORTModelForSequenceClassification
from transformers import AutoTokenizer, pipeline

from benchmarks.environments import node_environment, python_environment
from finsent.release import ABSTAIN_BELOW, CONFIG, write_threshold
from inference.classifier import Classifier
from tests.runtimes.answers import FP32, HERE, INT8, Scores, ask, assert_same, run_script, to_array
from tests.runtimes.texts import TEXTS


@pytest.fixture(scope="module")
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release that FINSENT_RELEASE names, or a tiny one, for which a threshold is made up."""
    if named := os.environ.get("FINSENT_RELEASE"):
        assert Path(named).is_dir(), f"FINSENT_RELEASE: {named} is no folder"
        return Path(named).resolve()
    folder = tmp_path_factory.mktemp("runtimes") / "release"
    shutil.copytree(request.getfixturevalue("tiny_release"), folder)
    write_threshold(folder, 0.812)
    return folder


def threshold_of(release: Path) -> float | None:
    tree: dict[str, float] = json.loads((release / CONFIG).read_text(encoding="utf-8"))
    return tree.get(ABSTAIN_BELOW)


@pytest.fixture(scope="module")
def exact(release: Path) -> Scores:
    return np.array(Classifier(release, f"onnx/{FP32}").predict(TEXTS), dtype=float)


@pytest.fixture(scope="module")
def quantized(release: Path) -> Scores:
    return np.array(Classifier(release, f"onnx/{INT8}").predict(TEXTS), dtype=float)


def test_there_are_three_hundred_texts() -> None:
    assert len(TEXTS) == len(set(TEXTS)) == 300


def test_pipeline_on_pytorch(release: Path, exact: Scores) -> None:
    assert_same(ask(pipeline("text-classification", model=str(release)), TEXTS, release), exact)


@pytest.mark.parametrize("file", [FP32, INT8])
def test_ortmodel_alone_and_in_padded_batches(
    release: Path, file: str, exact: Scores, quantized: Scores
) -> None:
    model = ORTModelForSequenceClassification.from_pretrained(release, subfolder="onnx", file_name=file)
    tokenizer = AutoTokenizer.from_pretrained(release)
    classifier = pipeline("text-classification", model=model, tokenizer=tokenizer)
    expected = exact if file == FP32 else quantized
    assert_same(ask(classifier, TEXTS, release), expected)
    assert_same(ask(classifier, TEXTS, release, batch_size=32), expected)


def test_bare_onnxruntime(release: Path, quantized: Scores) -> None:
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(release / "tokenizer.json"))
    session = onnxruntime.InferenceSession(str(release / "onnx" / INT8))
    names = [entry.name for entry in session.get_inputs()]
    for text, expected in zip(TEXTS, quantized, strict=True):
        encoding = tokenizer.encode(text)
        known = {"input_ids": encoding.ids, "attention_mask": encoding.attention_mask}
        feed = {name: np.array([known.get(name, encoding.type_ids)], dtype=np.int64) for name in names}
        logits = session.run(["logits"], feed)[0][0].astype(float)
        probabilities = np.exp(logits - logits.max())
        assert np.abs(probabilities / probabilities.sum() - expected).max() <= 1e-4


@pytest.mark.slow
def test_transformers_5(release: Path, exact: Scores) -> None:
    python = python_environment(HERE / "requirements-transformers5.txt")
    found = run_script([str(python), str(HERE / "pipeline_scores.py"), str(release)])
    assert found["version"].startswith("5.")
    assert found["abstain_below"] == threshold_of(release)
    assert_same(to_array(found["scores"], release), exact)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="no node: transformers.js not tested")
def test_transformers_js(release: Path, exact: Scores, quantized: Scores) -> None:
    folder = node_environment(HERE / "package.json")
    shutil.copy(HERE / "scores.mjs", folder)
    found = run_script(["node", str(folder / "scores.mjs"), str(release)])
    assert found["version"].startswith("4.")
    assert found["q8"]["abstainBelow"] == threshold_of(release)
    for name, expected in (("fp32", exact), ("q8", quantized)):
        assert_same(to_array(found[name]["alone"], release), expected)
        assert_same(to_array(found[name]["together"], release), expected[:31])
    assert found["q8"]["lengths"] == [
        len(ids) for ids in AutoTokenizer.from_pretrained(release)(TEXTS)["input_ids"]
    ]


def test_this_environment_and_the_script_agree(release: Path, exact: Scores) -> None:
    found = run_script([sys.executable, str(HERE / "pipeline_scores.py"), str(release)])
    assert found["version"].startswith("4.57")
    assert found["abstain_below"] == threshold_of(release)
    assert_same(to_array(found["scores"], release), exact)

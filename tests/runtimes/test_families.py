"""Releases of six families, T5 in both forms, the whole way: trained, released, asked in every runtime.

The BERT whose table has a rank, an ELECTRA then, is released with every ONNX file that there is. All text
rules are on, so that each runtime has to read every one of them alike.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optimum.onnxruntime import ORTModelForSequenceClassification
from transformers import AutoTokenizer, pipeline

from benchmarks.environments import node_environment, python_environment
from finsent.onnx_files import ONNX_FILES, TRANSFORMERS_JS
from finsent.release import METRICS
from inference.classifier import Classifier
from model_card.measure.metrics_file import read_metrics
from tests import tiny, tiny_encoders
from tests.runtimes.answers import FP32, HERE, INT8, Scores, ask, assert_same, run_script, to_array
from tests.runtimes.texts import TEXTS

pytestmark = pytest.mark.slow

CHARACTERS = 300
FAMILIES = ["bert", "bert-rank", "distilbert", "mpnet", "roberta", "deberta", "t5", "t5-words"]
RULES = {
    "drop_bare_links": True,
    "drop_mentions": True,
    "strip_hashtags": True,
    "decode_entities": True,
    "drop_tags": True,
    "shorten_repeats": True,
    "drop_words": ["the", "C++"],
    "drop": [r"[^\p{L}\p{N}\s.,:%$#@&;/<>!?'-]"],
}
FORMS: dict[str, dict[str, Any]] = {
    "": {},
    "words": {"text_to_text": tiny_encoders.WORDS},
    "rank": {"embedding_rank": 16},
}
WIDE = {"macro_f1_drop": 1.0, "flip_share": 1.0, "batch_difference": 1e-3}
EVERY_FILE = [{"name": "fp32"}, *({"name": name, "budget": WIDE} for name in list(ONNX_FILES)[1:])]


@pytest.fixture(scope="module", params=FAMILIES)
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kind, _, form = request.param.partition("-")
    folder = tmp_path_factory.mktemp(kind)
    if kind == "t5":
        encoder = tiny_encoders.save_t5(folder / "encoder")
    else:
        encoder = tiny_encoders.save_encoder(folder / "encoder", kind, initializer_range=0.2)
    made = tiny_encoders.KINDS[kind].tokenizer
    positions = CHARACTERS * (4 if made == "byte-level" else 1) + 12
    base = {"path": str(encoder), "hub": f"tests/{kind}", "licence": "apache-2.0", "positions": positions}
    base |= FORMS[form]
    text = RULES | {"max_characters": CHARACTERS, "lowercase": made == "wordpiece"}
    changes = {"base": base, "text": text} | ({"export": {"variants": EVERY_FILE}} if form == "rank" else {})
    return tiny.train_release(tiny.write_recipe(folder, encoder, **changes), folder / "runs")


def scores(release: Path, file: str) -> Scores:
    return np.array(Classifier(release, f"onnx/{file}").predict(TEXTS), dtype=float)


def test_transformers_4_and_5(release: Path) -> None:
    expected = scores(release, FP32)
    assert_same(ask(pipeline("text-classification", model=str(release)), TEXTS, release), expected)
    for python in (sys.executable, str(python_environment(HERE / "requirements-transformers5.txt"))):
        found = run_script([python, str(HERE / "pipeline_scores.py"), str(release)])
        assert_same(to_array(found["scores"], release), expected)


def test_ortmodel_with_a_file_and_without(release: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(release)
    for options, file in (
        ({"subfolder": "onnx", "file_name": FP32}, FP32),
        ({"subfolder": "onnx", "file_name": INT8}, INT8),
        ({}, FP32),
    ):
        model = ORTModelForSequenceClassification.from_pretrained(release, **options)
        classifier = pipeline("text-classification", model=model, tokenizer=tokenizer)
        expected = scores(release, file)
        assert_same(ask(classifier, TEXTS, release), expected)
        assert_same(ask(classifier, TEXTS, release, batch_size=32), expected)


@pytest.mark.skipif(shutil.which("node") is None, reason="no node: transformers.js not tested")
def test_transformers_js(release: Path) -> None:
    if not read_metrics(release / METRICS).is_loaded_by(TRANSFORMERS_JS):
        pytest.skip("transformers.js has no classifier for this architecture")
    folder = node_environment(HERE / "package.json")
    shutil.copy(HERE / "scores.mjs", folder)
    found = run_script(["node", str(folder / "scores.mjs"), str(release)])
    files = [file for file in ONNX_FILES.values() if (release / file.path).is_file()]
    assert {file.dtype for file in files} == set(found) - {"version"}
    for file in files:
        assert_same(to_array(found[file.dtype]["alone"], release), scores(release, file.file_name))
    lengths = [len(ids) for ids in AutoTokenizer.from_pretrained(release)(TEXTS)["input_ids"]]
    assert found["q8"]["lengths"] == lengths

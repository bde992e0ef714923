"""T5 in both forms, at random weights: 66 strange texts in every runtime, alone and in a batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from optimum.onnxruntime import ORTModelForSequenceClassification
from tokenizers import Tokenizer
from transformers import AutoTokenizer, pipeline

from export.files import export_files
from finsent.data.splits import load_splits
from finsent.encoder.load import load_base
from finsent.recipe.file import load_recipe
from finsent.training.fit import fit
from inference.classifier import Classifier
from serving.handler import TorchClassifier
from tests import tiny, tiny_encoders
from tests.runtimes.answers import FP32, INT8, ask, assert_same
from tests.runtimes.texts import WRITTEN

QUICK = {"epochs": 0.2, "batch_size": 8, "learning_rate": 0.005, "evaluations": 1, "bf16": "off"}


@pytest.fixture(scope="module", params=[None, tiny_encoders.WORDS], ids=["head", "words"])
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("t5")
    encoder = tiny_encoders.save_t5(folder / "encoder")
    base = {"path": str(encoder), "hub": "tests/t5", "licence": "apache-2.0", "positions": 312}
    text = {"max_characters": 300, "lowercase": False}
    recipe = load_recipe(
        tiny.write_recipe(
            folder, encoder, base=base | {"text_to_text": request.param}, text=text, training=QUICK
        )
    )
    splits = load_splits(recipe, None)
    texts = [row.text for row in splits.train]
    made = load_base(recipe, texts)
    fit(recipe, splits, made, folder / "checkpoints")
    made.save(folder / "release")
    export_files(recipe.export, texts, folder / "release")
    return folder / "release"


def test_every_runtime_answers_strange_texts_alike_alone_and_in_a_batch(release: Path) -> None:
    classifier = Classifier(release, f"onnx/{FP32}")
    expected = np.array(classifier.predict(WRITTEN), dtype=float)
    assert np.ptp(expected, axis=0).max() > 0.01  # the texts are told apart, so that a difference can show
    assert_same(np.array([classifier.predict([text])[0] for text in WRITTEN]), expected)
    tokenizer = AutoTokenizer.from_pretrained(release)
    loaded = ORTModelForSequenceClassification.from_pretrained(release, subfolder="onnx", file_name=FP32)
    for pipe in (
        pipeline("text-classification", model=str(release)),
        pipeline("text-classification", model=loaded, tokenizer=tokenizer),
    ):
        assert_same(ask(pipe, WRITTEN, release), expected)
        assert_same(ask(pipe, WRITTEN, release, batch_size=16), expected)
    logits = TorchClassifier(release).logits(WRITTEN)
    np.testing.assert_allclose(logits, classifier.logits(WRITTEN), atol=1e-4)


def test_bare_onnxruntime_and_the_quantized_file(release: Path) -> None:
    tokenizer = Tokenizer.from_file(str(release / "tokenizer.json"))
    for file in (FP32, INT8):
        session = onnxruntime.InferenceSession(str(release / "onnx" / file))
        assert [entry.name for entry in session.get_inputs()] == ["input_ids", "attention_mask"]
        expected = Classifier(release, f"onnx/{file}").logits(WRITTEN)
        for text, row in zip(WRITTEN, expected, strict=True):
            encoding = tokenizer.encode(text)
            feed = {"input_ids": [encoding.ids], "attention_mask": [encoding.attention_mask]}
            [logits] = session.run(["logits"], {name: np.array(value) for name, value in feed.items()})
            np.testing.assert_allclose(logits[0], row, atol=1e-4 if file == FP32 else 0)


def test_each_text_has_one_end_token_and_one_graph_holds_all(release: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(release)
    assert {ids.count(1) for ids in tokenizer(WRITTEN)["input_ids"]} == {1}
    assert "</s>" not in tokenizer.get_vocab() and tokenizer.eos_token is None
    assert sorted(path.name for path in (release / "onnx").iterdir()) == [FP32, INT8]

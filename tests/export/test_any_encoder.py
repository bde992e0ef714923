"""Encoders of every family, from random weights to answers: fitted a step, exported, quantized, asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from export.files import export_files
from export.to_q4 import convert_to_q4
from finsent.data.splits import load_splits
from finsent.encoder.load import load_base
from finsent.onnx_files import FP32, Q4, QUANTIZED
from finsent.recipe.file import load_recipe
from finsent.training.fit import fit
from finsent.training.teachers import run_model
from inference.classifier import Classifier
from tests import tiny, tiny_encoders
from tests.export.four_bits import read_weights, with_weights

CHARACTERS = 300
TEXTS = [
    *(row["text"] for row in tiny.make_rows()[::6]),
    "",
    "x" * 10_000,
    "a " * 5_000,
    "🙂" * 10_000,
    "한국 中文 " * 1_000,
]


@pytest.mark.parametrize("case", [*tiny_encoders.KINDS, "bert-rank"])
def test_every_file_of_a_family_answers_alike_however_long_the_text(case: str, tmp_path: Path) -> None:
    kind, _, factored = case.partition("-") if case == "bert-rank" else (case, "", "")
    encoder = tiny_encoders.save_encoder(tmp_path / kind, kind, initializer_range=0.3)
    bytes_a_character = 4 if tiny_encoders.KINDS[kind].tokenizer == "byte-level" else 1
    recipe = load_recipe(
        tiny.write_recipe(
            tmp_path,
            encoder,
            text={
                "max_characters": CHARACTERS,
                "lowercase": tiny_encoders.KINDS[kind].tokenizer == "wordpiece",
            },
            base={
                "path": str(encoder),
                "hub": f"tests/{kind}",
                "licence": "apache-2.0",
                "positions": CHARACTERS * bytes_a_character + 12,
                **({"embedding_rank": 24} if factored else {}),
            },
            training={
                "epochs": 0.2,
                "batch_size": 8,
                "learning_rate": 0.005,
                "evaluations": 1,
                "bf16": "off",
            },
        )
    )
    splits, release = load_splits(recipe, None), tmp_path / "release"
    texts = [row.text for row in splits.train]
    base = load_base(recipe, texts)
    fit(recipe, splits, base, tmp_path / "checkpoints")
    base.save(release)
    export_files(recipe.export, texts, release)
    expected = run_model(release, TEXTS)
    assert np.ptp(expected, axis=0).min() > 0.01  # the texts are told apart, so that a difference can show
    convert_to_q4(release, [])
    exact, quantized, q4 = (Classifier(release, file.path) for file in (FP32, QUANTIZED, Q4))
    np.testing.assert_allclose(exact.logits(TEXTS), expected, atol=1e-4)
    together = quantized.logits(TEXTS)
    assert np.array_equal(together, np.stack([quantized.logits([text])[0] for text in TEXTS]))
    assert np.corrcoef(together.ravel(), expected.ravel())[0, 1] > 0.95
    rounded = with_weights(
        release / FP32.path, release / "onnx" / "rounded.onnx", read_weights(release / Q4.path)
    )
    assert np.ptp(q4.logits(TEXTS) - expected) > 1e-3
    np.testing.assert_allclose(q4.logits(TEXTS), Classifier(release, str(rounded)).logits(TEXTS), atol=1e-4)

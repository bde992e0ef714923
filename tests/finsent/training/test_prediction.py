from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from finsent.training.prediction import predict_logits
from finsent.training.teachers import run_model
from tests import tiny

TEXTS = [row["text"] for row in tiny.make_rows()]


def test_a_teacher_answers_alike_in_any_order(teacher_release: Path) -> None:
    assert run_model(teacher_release, TEXTS[::-1]) == pytest.approx(
        run_model(teacher_release, TEXTS)[::-1], abs=1e-5
    )


def test_logits_are_those_of_each_text_alone(tiny_release: Path) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(tiny_release).eval()
    tokenizer = AutoTokenizer.from_pretrained(tiny_release)
    texts = [*TEXTS[:5], "", TEXTS[7] * 3]
    alone = [predict_logits(model, tokenizer, [text], 4) for text in texts]
    assert predict_logits(model, tokenizer, texts, 4) == pytest.approx(np.concatenate(alone), abs=1e-5)
    assert predict_logits(model, tokenizer, [], 4).shape == (0, 3)

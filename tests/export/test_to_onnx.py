from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from finsent.encoder.load import load_base
from finsent.recipe.recipe import Recipe
from inference.classifier import Classifier
from tests import tiny

TEXTS = [row["text"] for row in tiny.make_rows()]


def test_the_exported_file_answers_like_pytorch(saved: Path, tiny_recipe: Recipe) -> None:
    base = load_base(tiny_recipe, TEXTS)
    with torch.inference_mode():
        logits = base.model.eval()(**base.tokenizer()(TEXTS, padding=True, return_tensors="pt")).logits
    found = Classifier(saved, "onnx/model.onnx").predict(TEXTS)
    assert np.abs(torch.softmax(logits, -1).numpy() - found).max() < 1e-5

from __future__ import annotations

from pathlib import Path

import numpy as np

from finsent.onnx_files import FP32
from inference.classifier import Classifier
from model_card.measure.predictors import onnx_predictor, pytorch_predictor

TEXTS = ["Arvo profit rose", "x", "loss widened at Belmi this quarter, and shares fell hard", ""]


def test_the_weights_answer_as_their_onnx_file_does_in_the_order_of_the_texts(tiny_release: Path) -> None:
    pytorch = pytorch_predictor(tiny_release, batch_size=3)(TEXTS)
    onnx = onnx_predictor(tiny_release, FP32.path, batch_size=3)(TEXTS)
    assert pytorch.shape == onnx.shape == (4, 3)
    assert np.allclose(pytorch.sum(axis=1), 1)
    assert np.abs(pytorch - onnx).max() < 1e-5
    assert np.abs(pytorch[0] - pytorch[2]).max() > 0.01  # else any order would do


def test_the_file_that_is_named_is_the_one_that_answers(tiny_release: Path) -> None:
    expected = Classifier(tiny_release, FP32.path).predict(TEXTS)
    assert np.abs(onnx_predictor(tiny_release, FP32.path, 4)(TEXTS) - expected).max() < 1e-6

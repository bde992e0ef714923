"""What is measured, as functions from texts to probabilities: PyTorch, and ONNX as the demo runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from transformers import AutoModelForSequenceClassification, AutoTokenizer

from finsent.scoring import Floats
from finsent.training.prediction import predict_logits
from inference.classifier import Classifier, softmax

Predict = Callable[[Sequence[str]], Floats]  # texts -> probabilities `(n, n_labels)`


def pytorch_predictor(folder: Path, batch_size: int) -> Predict:
    """Load the weights saved in `folder`."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()

    def predict(texts: Sequence[str]) -> Floats:
        """Return probabilities `(n, n_labels)`, in batches of like length."""
        return softmax(predict_logits(model, tokenizer, texts, batch_size))

    return predict


def onnx_predictor(folder: Path, file: str, batch_size: int) -> Predict:
    """Load an ONNX file of the release in `folder`, by its path there."""
    classifier = Classifier(folder, file)
    return lambda texts: classifier.predict(texts, batch_size)

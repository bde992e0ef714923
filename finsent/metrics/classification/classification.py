"""Accuracy, macro and per-class scores and the confusion matrix, as an `evaluate` module that loads offline.

`evaluate.load("accuracy")` downloads code from the Hub; this file ships here instead and stands on
scikit-learn.
"""

from typing import Any

import datasets
import evaluate
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support


class Classification(evaluate.Metric):
    """Scores of single-label predictions over `labels` classes, absent classes included."""

    def _info(self) -> evaluate.MetricInfo:
        features = datasets.Features(
            {"predictions": datasets.Value("int64"), "references": datasets.Value("int64")}
        )
        return evaluate.MetricInfo(
            description="accuracy, macro F1, per-class scores, confusion",
            citation="",
            inputs_description="predictions, references: class numbers; labels: number of classes",
            features=features,
        )

    def _compute(self, predictions: list[int], references: list[int], labels: int) -> dict[str, Any]:
        classes = list(range(labels))  # named, so that an absent class does not shift the others
        precision, recall, f1, support = precision_recall_fscore_support(
            references, predictions, labels=classes, zero_division=0.0
        )
        confusion = confusion_matrix(references, predictions, labels=classes)
        return {
            "accuracy": float(confusion.trace() / confusion.sum()),
            "macro_f1": float(f1.mean()),
            "precision": [float(value) for value in precision],
            "recall": [float(value) for value in recall],
            "f1": [float(value) for value in f1],
            "support": [int(value) for value in support],
            "confusion": confusion.tolist(),
        }

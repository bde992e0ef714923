"""Expected calibration error, Brier score and log loss, as an `evaluate` module that loads offline.

ECE: Guo et al. 2017, https://arxiv.org/abs/1706.04599, equal-width bins over the confidence of the predicted
class. Brier: the mean over rows of the squared distance between the probabilities and the one-hot label
(0..2). Log loss: the mean over rows of -ln of the probability of the label, which counts as no less than
the smallest step of a float64.
"""

from typing import Any

import datasets
import evaluate
import numpy as np


class Calibration(evaluate.Metric):
    """How far probabilities can be believed."""

    def _info(self) -> evaluate.MetricInfo:
        features = datasets.Features(
            {
                "predictions": datasets.Sequence(datasets.Value("float64")),
                "references": datasets.Value("int64"),
            }
        )
        return evaluate.MetricInfo(
            description="expected calibration error, Brier score, log loss, reliability bins",
            citation="",
            inputs_description="predictions: a row of probabilities a text; references: class numbers; bins",
            features=features,
        )

    def _compute(self, predictions: list[list[float]], references: list[int], bins: int) -> dict[str, Any]:
        probabilities, labels = np.asarray(predictions), np.asarray(references)
        confidence = probabilities.max(axis=1)
        right = probabilities.argmax(axis=1) == labels
        number = np.minimum((confidence * bins).astype(int), bins - 1)
        count = np.bincount(number, minlength=bins)
        filled = np.maximum(count, 1)
        accuracy = np.bincount(number, weights=right, minlength=bins) / filled
        believed = np.bincount(number, weights=confidence, minlength=bins) / filled
        one_hot = np.eye(probabilities.shape[1])[labels]
        given = np.maximum(probabilities[np.arange(len(labels)), labels], np.finfo(np.float64).eps)
        return {
            "ece": float((count * np.abs(accuracy - believed)).sum() / count.sum()),
            "brier": float(((probabilities - one_hot) ** 2).sum(axis=1).mean()),
            "log_loss": float(-np.log(given).mean()),
            "bin_count": count.tolist(),
            "bin_accuracy": accuracy.tolist(),
            "bin_confidence": believed.tolist(),
        }

"""What simpler methods reach on the same rows: the most frequent class, and counts of words."""

from __future__ import annotations

from collections import Counter

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from finsent.data.splits import Splits
from finsent.recipe.recipe import Recipe
from finsent.scoring import Floats, Ints
from model_card.measure.metrics_file import Baseline
from model_card.measure.scores import class_numbers, score_rows

MAJORITY = "majority class"


def measure_baselines(recipe: Recipe, splits: Splits) -> list[Baseline]:
    """Fit each method to the training rows and score it on the test rows."""
    train, test = (class_numbers(rows, recipe.labels) for rows in (splits.train, splits.test))
    found = {
        MAJORITY: _predict_majority(train, len(test), len(recipe.labels)),
        "TF-IDF + logistic regression": _predict_linear(splits, train, recipe.seed),
    }
    return [
        Baseline(name=name, scores=score_rows(recipe, probabilities, test))
        for name, probabilities in found.items()
    ]


def _predict_majority(train: Ints, n: int, n_labels: int) -> Floats:
    probabilities = np.zeros((n, n_labels), dtype=np.float32)
    probabilities[:, Counter(train.tolist()).most_common(1)[0][0]] = 1
    return probabilities


def _predict_linear(splits: Splits, train: Ints, seed: int) -> Floats:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    regression = LogisticRegression(max_iter=1000, random_state=seed)
    regression.fit(words.fit_transform([row.text for row in splits.train]), train)
    probabilities: Floats = regression.predict_proba(words.transform([row.text for row in splits.test]))
    return probabilities

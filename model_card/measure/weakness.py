"""Whether a release is worth its weight: simpler methods on the same rows must not do as well."""

from __future__ import annotations

from collections.abc import Mapping

from finsent.cautions import percent
from finsent.errors import ReleaseError
from finsent.recipe.recipe import Recipe
from finsent.scoring import Scores
from model_card.measure.baselines import MAJORITY
from model_card.measure.metrics_file import Baseline, Metrics


def find_weaknesses(metrics: Metrics) -> list[str]:
    """Return why the default file is no better than something simpler, a sentence a reason."""
    scores = metrics.variant(metrics.default_variant).scores
    told = [_tell_loss(one, scores) for one in metrics.baselines if is_beaten(scores, one)]
    chance = chance_macro_f1(metrics.data.labels["validation"], len(scores.per_class))
    if metrics.training.validation_macro_f1 < chance:
        reached = percent(metrics.training.validation_macro_f1)
        told.append(f"On the validation rows macro F1 is {reached}; random labels reach {percent(chance)}.")
    return told


def check_strength(recipe: Recipe, metrics: Metrics) -> None:
    """Raise ReleaseError if a release is weak and its recipe does not allow that."""
    if metrics.weak and not recipe.allow_weak:
        raise ReleaseError(
            f"not released, because it is weak: {' '.join(metrics.weak)} Train longer, or on more rows; or "
            "write allow_weak: true in the recipe, run again with --resume, and the card will say so"
        )


def is_beaten(scores: Scores, by: Baseline) -> bool:
    """Return whether a simpler method is ahead in accuracy or macro F1 and behind in neither.

    The majority class does that at a draw: there is nothing simpler.
    """
    other = by.scores
    if other.accuracy < scores.accuracy or other.macro_f1 < scores.macro_f1:
        return False
    return by.name == MAJORITY or (other.accuracy, other.macro_f1) != (scores.accuracy, scores.macro_f1)


def chance_macro_f1(rows: Mapping[str, int], n_labels: int) -> float:
    """Return about what labels drawn evenly at random reach on rows with these counts by label.

    Of a class with the share p of the rows, precision is p and recall 1 / n_labels.
    """
    total, recall = sum(rows.values()), 1 / n_labels
    return sum(2 * p * recall / (p + recall) for p in (count / total for count in rows.values())) / n_labels


def _tell_loss(by: Baseline, scores: Scores) -> str:
    simple, ours = (f"{percent(one.accuracy)} and {percent(one.macro_f1)}" for one in (by.scores, scores))
    return f"Accuracy and macro F1 on the test rows: {by.name} {simple}, the release {ours}."

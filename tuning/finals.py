"""The best trials beside the recipe as it is: each trained again with several seeds that no trial had.

The best of many trials is partly the luckiest, so validation scores with other seeds decide. The answers on
test rows are kept, but nothing is chosen by them: only the winner and the recipe as it is are scored there.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from finsent.cli import say
from finsent.data.splits import fingerprint_in_order
from finsent.scoring import Ints, bootstrap_mean, classification, mcnemar
from finsent.training.prediction import predict_logits
from tuning.fitting import fit_recipe
from tuning.report import Contender, Trial, Unseen
from tuning.setup import Setup
from tuning.space import Settings

BATCH = 64
RESAMPLES = 2000


class Final(BaseModel):
    """One training of the finals: macro F1 on the validation rows, and the classes told for the test rows."""

    score: float
    answers: list[int]


@dataclass(frozen=True)
class Finals:
    """All of them: the recipe as it is, then the finalists, with the answers of each `(seeds, rows)`."""

    contenders: list[Contender]
    answers: list[Ints]

    @property
    def winner(self) -> int:
        """Which of them has the best mean; of equal ones the first, so the recipe as it is."""
        return int(np.argmax([one.mean for one in self.contenders]))


def choose_finalists(trials: list[Trial], count: int) -> list[Trial]:
    """Return the best trials with different settings, of those that came to their end."""
    done = sorted((trial for trial in trials if trial.state == "done"), key=lambda one: -one.score)
    distinct: dict[str, Trial] = {}
    for trial in done:
        distinct.setdefault(json.dumps(trial.settings, sort_keys=True), trial)
    return list(distinct.values())[:count]


def run_finals(setup: Setup, trials: list[Trial], folder: Path, checkpoints: Path) -> Finals:
    """Train the recipe as it is and the finalists with every seed; what was trained before is read."""
    chosen = choose_finalists(trials, setup.search.finalists)
    entries: list[tuple[int | None, Settings]] = [(None, {}), *((one.number, one.settings) for one in chosen)]
    contenders, answers = [], []
    for number, settings in entries:
        finals = [run_final(setup, settings, seed, folder, checkpoints) for seed in setup.seeds]
        scores = [final.score for final in finals]
        contenders.append(Contender(trial=number, settings=settings, scores=scores))
        answers.append(np.array([final.answers for final in finals]))
        told = ", ".join(f"{score:.3f}" for score in scores)
        name = "the recipe as it is" if number is None else f"trial {number}"
        say(f"  {name}: macro F1 {contenders[-1].mean:.3f} ({told})")
    return Finals(contenders, answers)


def run_final(setup: Setup, settings: Settings, seed: int, folder: Path, checkpoints: Path) -> Final:
    """Train settings with a seed, or read what that gave before."""
    setup.check_unchanged()
    recipe = setup.recipe_with(settings, seed)
    rows = "".join([*setup.splits.report.fingerprints.values(), fingerprint_in_order(setup.splits.test)])
    made_from = setup.made_from(recipe) + rows
    name = hashlib.sha256(made_from.encode()).hexdigest()[:16]
    file = folder / f"{name}.json"
    if not file.is_file():
        base, report = fit_recipe(setup, recipe, checkpoints)
        logits = predict_logits(base.model, base.tokenizer(), [row.text for row in setup.splits.test], BATCH)
        final = Final(score=report.validation_macro_f1, answers=logits.argmax(axis=1).tolist())
        folder.mkdir(exist_ok=True)
        partial = file.with_suffix(".partial")
        partial.write_text(final.model_dump_json(), encoding="utf-8")
        partial.replace(file)
    return Final.model_validate_json(file.read_bytes())


def compare_unseen(setup: Setup, finals: Finals) -> Unseen | None:
    """Compare the winner with the recipe as it is on the test rows; None where these are the same."""
    if finals.winner == 0:
        return None
    names = setup.recipe.labels
    labels = np.array([names.index(row.label) for row in setup.splits.test])
    best, start = finals.answers[finals.winner], finals.answers[0]
    return compare(best, start, labels, len(names), setup.search.seed)


def compare(best: Ints, start: Ints, labels: Ints, n_labels: int, seed: int) -> Unseen:
    """Compare answers `(seeds, rows)` with class numbers `(rows,)`, row by row."""
    right, right_start = (best == labels).mean(axis=0), (start == labels).mean(axis=0)
    better, worse = int((right > right_start).sum()), int((right < right_start).sum())
    return Unseen(
        rows=len(labels),
        accuracy=float(right.mean()),
        start_accuracy=float(right_start.mean()),
        gain=float((right - right_start).mean()),
        gain_interval=bootstrap_mean(right - right_start, RESAMPLES, seed),
        macro_f1=_mean_macro_f1(best, labels, n_labels),
        start_macro_f1=_mean_macro_f1(start, labels, n_labels),
        better=better,
        worse=worse,
        p=mcnemar(better, worse),
    )


def _mean_macro_f1(answers: Ints, labels: Ints, n_labels: int) -> float:
    return float(np.mean([classification(one, labels, n_labels)["macro_f1"] for one in answers]))

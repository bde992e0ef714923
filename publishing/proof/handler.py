"""Running handler.py of what came back, as Inference Endpoints do: ours unasked, a stranger's when asked."""

from __future__ import annotations

from pathlib import Path

from finsent.endpoint import find_foreign_files
from finsent.errors import ReleaseError
from finsent.release import HANDLER, METRICS
from model_card.measure.metrics_file import Metrics, read_metrics
from model_card.measure.runtimes import Probabilities, ask_handler, largest_difference
from publishing.proof.prover import FOREIGN_TOLERANCE, HARD_TEXTS
from publishing.receipt import Check

NAME = "handler"
NOT_OURS = "not the version that this finsent writes, so it was not run"


def check_handler(snapshot: Path, home: Path) -> Check:
    """Run the handler of a commit of ours, unless a file of it is other than this finsent's own."""
    if foreign := find_foreign_files(snapshot):
        return Check(name=NAME, state="not run", detail=f"{', '.join(foreign)}: {NOT_OURS}")
    return check_foreign_handler(snapshot, home)


def check_foreign_handler(snapshot: Path, home: Path) -> Check:
    """Run a handler, whoever wrote it, without a token; compare it with what metrics.json says."""
    metrics = read_metrics(snapshot / METRICS)
    texts = [*(example.text for example in metrics.examples), *HARD_TEXTS]
    (own := home / NAME).mkdir()
    try:
        return _judge(ask_handler(snapshot, texts, own), metrics)
    except ReleaseError as error:
        return Check(name=NAME, state="failed", detail=str(error))


def _judge(answers: list[Probabilities], metrics: Metrics) -> Check:
    """Compare the examples; of the hard texts the labels have to be right, and a sum of 1."""
    stated = [example.scores for example in metrics.examples]
    worst = largest_difference(answers[: len(stated)], stated)
    if worst > FOREIGN_TOLERANCE:
        detail = f"{HANDLER} differs by {worst:.2g} from {METRICS}, allowed is {FOREIGN_TOLERANCE:g}"
        return Check(name=NAME, state="failed", detail=detail)
    for scores in answers[len(stated) :]:
        if set(scores) != set(stated[0]) or abs(sum(scores.values()) - 1) > FOREIGN_TOLERANCE:
            return Check(
                name=NAME, state="failed", detail=f"{HANDLER}: answers {scores} for a difficult text"
            )
    return Check(name=NAME, state="ok", detail=f"{HANDLER}, {len(answers)} texts, largest |Δp| {worst:.1g}")

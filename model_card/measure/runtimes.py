"""Programs that load a release and answer some texts: that they do so is measured, not claimed."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from finsent.environment import environment_in
from finsent.errors import ReleaseError
from finsent.processes import run_alone
from finsent.release import HANDLER
from model_card.measure.metrics_file import ExampleResult, RuntimeRun

ASK = Path(__file__).with_name("ask_handler.py")
TIMEOUT = 300  # seconds
TOLERANCE = 1e-6  # |Δp| between two processes of one machine that run one file

Probabilities = dict[str, float]


def measure_handler(folder: Path, examples: Sequence[ExampleResult]) -> list[RuntimeRun]:
    """Return that handler.py of a release answers the examples, nothing where there is no handler.

    ReleaseError if it does not, or has other probabilities than the file that it runs.
    """
    if not (folder / HANDLER).is_file():
        return []
    with tempfile.TemporaryDirectory(prefix="finsent-handler-") as home:
        answers = ask_handler(folder, [one.text for one in examples], Path(home))
    difference = largest_difference(answers, [one.scores for one in examples])
    if difference > TOLERANCE:
        raise ReleaseError(f"{HANDLER}: probabilities differ by {difference:.2g}, allowed is {TOLERANCE:g}")
    return [RuntimeRun(name=HANDLER, texts=len(answers), difference=difference)]


def ask_handler(folder: Path, texts: Sequence[str], home: Path) -> list[Probabilities]:
    """Return label -> probability of each text, from handler.py of a folder.

    It runs in a process of its own with an empty `home`, offline, without a token and without the caller's
    variables. ReleaseError if it fails, or answers in another shape than `[[{label, score}]]`.
    """
    bodies = home / "bodies.json"
    asked = [{"inputs": text, "parameters": {"top_k": None}} for text in texts]
    bodies.write_text(json.dumps(asked), encoding="utf-8")
    # -P: nothing beside the script is imported; -B: no __pycache__ is left in the release
    command = [sys.executable, "-P", "-B", str(ASK), str(folder.resolve()), str(bodies.resolve())]
    switches = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    try:
        done = run_alone(command, home, environment_in(home) | switches, TIMEOUT)
    except subprocess.TimeoutExpired:
        raise ReleaseError(f"{HANDLER}: still running after {TIMEOUT} s") from None
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no message"]
        raise ReleaseError(f"{HANDLER}: {said[-1][:500]}")
    return _read_answers(done.stdout, len(texts))


def _read_answers(printed: str, count: int) -> list[Probabilities]:
    try:
        answers = [_scores_of(one) for one in json.loads(printed.strip().rpartition("\n")[2])]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ReleaseError(
            f"{HANDLER}: does not answer with [[{{label, score}}]] ({type(error).__name__})"
        ) from None
    if len(answers) != count:
        raise ReleaseError(f"{HANDLER}: answers {len(answers)} texts of {count}")
    return answers


def _scores_of(answer: Any) -> Probabilities:  # noqa: ANN401  (whatever a handler returns)
    [labels] = answer
    scores = {str(one["label"]): float(one["score"]) for one in labels}
    if not all(map(math.isfinite, scores.values())):
        raise ValueError("a score is not a number")
    return scores


def largest_difference(got: Sequence[Probabilities], expected: Sequence[Probabilities]) -> float:
    """Return the largest |Δp|; ReleaseError if the labels of a text differ."""
    worst = 0.0
    for one, other in zip(got, expected, strict=True):
        if set(one) != set(other):
            raise ReleaseError(f"{HANDLER}: has the labels {sorted(one)}, not {sorted(other)}")
        worst = max(worst, *(abs(one[label] - other[label]) for label in other))
    return worst

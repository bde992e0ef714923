"""What teachers answer: probabilities of finished releases, asked once a text.

A teacher's logits are kept beside its release (`runs/<teacher>/answers-<precision>-<weights>.npz`), as the
students of a family ask the same texts; only the sha256 of a text is kept with them. The last bits of an
answer depend on what was asked with it, so only a student with an empty runs/ is repeatable to the bit.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from scipy.special import softmax
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast

from finsent.errors import FinsentError
from finsent.release import WEIGHTS, read_labels, sha256
from finsent.scoring import Floats
from finsent.training.answers import read_answers
from finsent.training.prediction import predict_logits

BATCH = 64
PORTION = 64 * BATCH  # texts asked before the answers are written


def ask_teachers(
    teachers: Sequence[Path], texts: list[str], labels: list[str], temperature: float, bf16: bool = False
) -> Floats:
    """Return the mean of the teachers' probabilities `(n, n_labels)`, NaN for texts without a written answer.

    Each of `teachers` is a finished release, or a table of written answers (`finsent.training.answers`).
    Raises FinsentError if one has other labels.
    """
    found = np.zeros((len(texts), len(labels)))
    for teacher in teachers:
        if teacher.is_file():
            logits = read_answers(teacher, texts)
        else:
            logits = _ask_release(teacher, texts, labels, bf16)
        found += softmax(logits / temperature, axis=1)
    return found / len(teachers)


def _ask_release(folder: Path, texts: list[str], labels: list[str], bf16: bool) -> Floats:
    if (theirs := read_labels(folder)) != labels:
        raise FinsentError(f"{folder}: the teacher has the labels {theirs}, the recipe has {labels}")
    return remember_logits(folder, texts, bf16)


def remember_logits(folder: Path, texts: list[str], bf16: bool = False) -> Floats:
    """Return the logits `(n, n_labels)` of a release; only texts that it was never asked are computed.

    Raises FinsentError if they are not all finite.

    Students that ask at the same time wait for each other, so the second one finds what the first one asked.
    Answers are written by the portion, so a student that is killed while it asks goes on where it was.
    """
    precision = "bf16" if bf16 else "fp32"
    file = folder.parent / f"answers-{precision}-{sha256(folder / WEIGHTS)[:16]}.npz"
    keys = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
    with FileLock(file.with_suffix(".lock")):
        known = _read_answers(file)
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        ordered = sorted(new, key=lambda key: len(new[key]))  # so the batches do not depend on the portions
        for start in range(0, len(ordered), PORTION):
            portion = ordered[start : start + PORTION]
            known |= dict(zip(portion, run_model(folder, [new[key] for key in portion], bf16), strict=True))
            _write_answers(file, known)
    logits = np.stack([known[key] for key in keys])
    if not np.isfinite(logits).all():
        raise FinsentError(f"{folder}: the teacher's answers are not all finite numbers; build it again")
    return logits


def _read_answers(file: Path) -> dict[bytes, Floats]:
    if not file.is_file():
        return {}
    try:
        with file.open("rb") as raw, np.load(raw) as held:
            return dict(zip((key.tobytes() for key in held["texts"]), held["logits"], strict=True))
    except Exception as error:  # a damaged archive raises a dozen types; all of it can be computed again
        logging.getLogger(__name__).warning("%s cannot be read (%s); its texts are asked again", file, error)
        return {}


def _write_answers(file: Path, known: dict[bytes, Floats]) -> None:
    texts = np.stack([np.frombuffer(key, dtype=np.uint8) for key in known])
    partial = file.with_suffix(".partial.npz")
    np.savez(partial, texts=texts, logits=np.stack(list(known.values())))
    partial.replace(file)


def run_model(folder: Path, texts: list[str], bf16: bool = False) -> Floats:
    """Return the logits `(n, n_labels)` of a saved model, on whatever is there."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForSequenceClassification.from_pretrained(folder).to(device).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    return predict_logits(model, tokenizer, texts, BATCH, bf16, bar=True).astype(float)

"""What teachers answer: probabilities of finished releases, asked once a text.

A teacher's logits are kept beside its release (`runs/<teacher>/answers-<precision>-<weights>.npz`), as the
students of a family ask the same texts; only the sha256 of a text is kept with them. The last bits of an
answer depend on what was asked with it, so only a student with an empty runs/ is repeatable to the bit.
"""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from tqdm import tqdm
from transformers import (
    AutoModelForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedTokenizerFast,
)

from finsent.errors import FinsentError
from finsent.release import WEIGHTS, read_labels, sha256
from finsent.scoring import Floats

BATCH = 64


def ask_teachers(
    folders: Sequence[Path], texts: list[str], labels: list[str], temperature: float, bf16: bool = False
) -> Floats:
    """Return the mean of the teachers' probabilities `(n, n_labels)`; `folders` are finished releases.

    Raises FinsentError when a teacher has other labels.
    """
    found = np.zeros((len(texts), len(labels)))
    for folder in folders:
        if (theirs := read_labels(folder)) != labels:
            raise FinsentError(f"{folder}: the teacher has labels {theirs}, the recipe {labels}")
        logits = remember_logits(folder, texts, bf16) / temperature
        exponential = np.exp(logits - logits.max(axis=1, keepdims=True))
        found += exponential / exponential.sum(axis=1, keepdims=True)
    return found / len(folders)


def remember_logits(folder: Path, texts: list[str], bf16: bool = False) -> Floats:
    """Return the logits `(n, n_labels)` of a release; only texts that it was never asked are computed.

    Students that ask at the same time wait for each other, so the second one finds what the first one asked.
    """
    precision = "bf16" if bf16 else "fp32"
    file = folder.parent / f"answers-{precision}-{sha256(folder / WEIGHTS)[:16]}.npz"
    keys = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
    with FileLock(file.with_suffix(".lock")):
        known = _read_answers(file)
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            known |= dict(zip(new, run_model(folder, list(new.values()), bf16), strict=True))
            _write_answers(file, known)
    return np.stack([known[key] for key in keys])


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
    """Return the logits `(n, n_labels)` of a saved model, in length-sorted batches, on whatever is there."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForSequenceClassification.from_pretrained(folder).to(device).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    pad = DataCollatorWithPadding(tokenizer)
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    logits = np.zeros((len(texts), model.config.num_labels))
    starts = range(0, len(order), BATCH)
    for start in tqdm(starts, unit="batch", file=sys.stderr, disable=not sys.stderr.isatty(), leave=False):
        chosen = order[start : start + BATCH]
        encoded = tokenizer([texts[index] for index in chosen])
        batch = pad([{key: encoded[key][at] for key in encoded} for at in range(len(chosen))])
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=bf16):
            logits[chosen] = model(**batch.to(device)).logits.float().cpu().numpy()
    return logits

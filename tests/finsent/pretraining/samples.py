"""A pretraining that takes seconds: generated sentences, a two-layer BERT or a T5 of its own."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import yaml

from finsent.recipe.file import load_pretraining
from finsent.recipe.pretraining import Pretraining
from tests import tiny

WORDS = tiny.WORDS[:38]  # the whole ones
QUOTED = "Arvo profit rose this quarter"  # a row of the tiny recipe
STEPS = {"epochs": 4, "length": 32, "batch_size": 8, "learning_rate": 3e-3, "evaluations": 3, "bf16": "off"}
T5 = {
    "objective": "span",
    "hub": "tests/tiny-t5",
    "model": {"hidden_size": 32, "layers": 2, "heads": 2, "intermediate_size": 64},
    "tokenizer": {"kind": "unigram", "pieces": 120, "words": ["bullish"]},
    "training": STEPS | {"optimizer": "adafactor", "learning_rate": 1e-2},
}


def write_texts(folder: Path, count: int = 120) -> Path:
    """Write texts in which each word is followed by the next of a list, so that there is much to learn."""
    draw = random.Random(0)
    lines = []
    for number in range(count):
        at = draw.randrange(len(WORDS))
        words = [WORDS[(at + step) % len(WORDS)] for step in range(draw.randint(12, 30))]
        lines.append(f"Item {number} {' '.join(words)}.")
    path = folder / "news.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def pretraining_tree(encoder: Path, **changes: Any) -> dict[str, Any]:
    """Return a recipe of a pretraining; with a `model` among the changes it has no base."""
    source = {"name": "news", "title": "News", "licence": "cc-by-sa-4.0", "path": ".", "files": ["news.txt"]}
    tree = {
        "name": "tiny-encoder",
        "seed": 1,
        "objective": "mlm",
        "licence": "cc-by-sa-4.0",
        "data": {"sources": [source], "held_out": 0.1, "near_duplicates": 1.0},
        "base": {"path": str(encoder), "hub": "tests/tiny-bert", "licence": "apache-2.0"},
        "training": STEPS | {"head_warmup": 0.2},
    }
    if "model" in changes:
        tree.pop("base")
    return tree | changes


def write_pretraining(folder: Path, encoder: Path, **changes: Any) -> Path:
    """Write texts and a recipe of a pretraining into a folder and return the recipe's path."""
    write_texts(folder)
    path = folder / "tiny-encoder.yaml"
    path.write_text(yaml.safe_dump(pretraining_tree(encoder, **changes)), encoding="utf-8")
    return path


def load(folder: Path, encoder: Path, **changes: Any) -> Pretraining:
    """Write a recipe of a pretraining and read it."""
    return load_pretraining(write_pretraining(folder, encoder, **changes))

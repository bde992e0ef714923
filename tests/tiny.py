"""Small real things: a WordPiece of some hundred pieces, encoders with random weights, a recipe, rows."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel

ROOT = Path(__file__).resolve().parent.parent
LABELS = ["negative", "neutral", "positive"]
WORDS = [
    "profit",
    "loss",
    "sales",
    "rose",
    "fell",
    "net",
    "quarter",
    "shares",
    "cut",
    "raised",
    "warns",
    "order",
    "report",
    "on",
    "monday",
    "the",
    "to",
    "of",
    "and",
    "by",
    "from",
    "million",
    "company",
    "forecast",
    "beats",
    "misses",
    "flat",
    "opens",
    "lease",
    "appoints",
    "ceo",
    "eur",
    "usd",
    "aapl",
    "bank",
    "oil",
    "gold",
    "strong",
    "weak",
    "##s",
    "##ed",
]

VERBS = {
    "negative": ["profit fell", "warns on sales", "loss widened", "forecast cut", "shares fell hard"],
    "neutral": ["opens lease", "appoints ceo", "report on monday", "sales flat", "the company"],
    "positive": ["profit rose", "order raised", "beats forecast", "sales strong", "net rose"],
}
PAIR = (
    "Castoria's net loss narrowed to USD 2 million from USD 9 million.",
    "Castoria's net loss widened to USD 9 million from USD 2 million.",
)
NAMES = ["Arvo", "Belmi", "Cando", "Dorsk", "Elbin", "Fynto"]


def make_tokenizer() -> Tokenizer:
    """Return a WordPiece with every ASCII character, its ## form and some words."""
    letters = [chr(code) for code in range(33, 127)] + ["é", "ß", "中", "한", "€"]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*special, *letters, *(f"##{letter}" for letter in letters), *WORDS]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.add_special_tokens(special)
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.enable_truncation(128)  # as sentence-transformers saves it; a release must not keep it
    tokenizer.enable_padding(length=128)
    return tokenizer


def save_encoder(folder: Path, kind: str, positions: int = 128) -> Path:
    """Save a two-layer encoder with random weights the way the Hub has it and return its folder."""
    folder.mkdir(parents=True)
    tokenizer = make_tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    size = tokenizer.get_vocab_size()
    model: Any
    if kind == "distilbert":
        model = DistilBertModel(
            DistilBertConfig(
                vocab_size=size,
                dim=32,
                n_layers=2,
                n_heads=2,
                hidden_dim=64,
                max_position_embeddings=positions,
            )
        )
    else:
        model = BertModel(
            BertConfig(
                vocab_size=size,
                hidden_size=32,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=64,
                max_position_embeddings=positions,
            )
        )
    model.save_pretrained(folder)
    return folder


def make_rows() -> list[dict[str, str]]:
    """Return 90 labelled rows, a third of each label."""
    rows = []
    for label in LABELS:
        for name in NAMES:
            for number, verb in enumerate(VERBS[label]):
                text = f"{name} {verb} {'to EUR 5 million' if number % 2 else 'this quarter'}"
                rows.append({"text": text, "label": label, "event": "earnings", "pair": ""})
    return rows


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    """Write rows as CSV with their keys as header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def recipe_tree(data: Path, base: Path) -> dict[str, Any]:
    """Return a recipe that trains a tiny encoder for a few steps."""
    source = {
        "kind": "table",
        "name": "rows",
        "title": "tiny rows",
        "licence": "cc-by-4.0",
        "path": str(data),
        "show_texts": True,
        "files": {"train": ["rows.csv"]},
        "group": "pair",
        "slice": "event",
        "labels": {label: label for label in LABELS},
    }
    variants = [
        {"name": "fp32"},
        {"name": "quantized", "calibration_rows": 16, "budget": {"macro_f1_drop": 1.0, "flip_share": 1.0}},
    ]
    return {
        "name": "tiny",
        "version": "0.1.0",
        "seed": 1,
        "labels": LABELS,
        "data": {"sources": [source], "validation": 0.2, "test": 0.2, "near_duplicates": 1.0},
        "text": {"max_characters": 116},
        "base": {"path": str(base), "hub": "tests/tiny-bert", "licence": "apache-2.0"},
        "training": {"epochs": 8, "batch_size": 8, "learning_rate": 0.005, "evaluations": 4, "bf16": "off"},
        "energy": {"watts": 60, "grams_per_kwh": 400},
        "export": {"variants": variants},
        "evaluation": {"bootstrap": 100, "latency_texts": 10, "suites": ["recipes/suites/headlines"]},
        "allow_weak": True,  # so few rows teach little
        "card": card_tree(),
        "hub": {"model": "finsent/tiny", "space": "finsent/tiny-demo"},
    }


def card_tree() -> dict[str, Any]:
    """Return the words of a small card."""
    return {
        "title": "tiny",
        "summary": "A classifier for tests.",
        "intended_use": "Tests.",
        "out_of_scope": ["Anything else."],
        "limits": ["It has seen few rows."],
        "authors": ["The finsent authors"],
        "notice": "No advice.",
        "tags": ["tests"],
        "unit": {"one": "headline", "many": "headlines"},
        "label_meanings": {"negative": "bad", "neutral": "neither", "positive": "good"},
        "tones": {"negative": "bad", "neutral": "neither", "positive": "good"},
        "pair": {"texts": list(PAIR), "note": "One word turns it."},
        "examples": [{"title": "Up", "text": "Arvo profit rose to EUR 5 million", "expected": "positive"}],
    }


def write_recipe(folder: Path, encoder: Path, **changes: Any) -> Path:
    """Write rows and recipe into a folder and return the recipe's path; `changes` replace top-level keys."""
    write_csv(folder / "rows.csv", make_rows())
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(recipe_tree(folder, encoder) | changes), encoding="utf-8")
    return path


def train_release(recipe: Path, runs: Path) -> Path:
    """Run train.py in a process of its own, as a person does, and return the release."""
    done = run_train(recipe, runs)
    assert done.returncode == 0, done.stderr
    return runs / "tiny" / "release"


def run_train(
    recipe: Path, runs: Path, *options: str, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run train.py and return what it said."""
    command = [sys.executable, "train.py", str(recipe), "--runs", str(runs), *options]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240, preexec_fn=before
    )


def read_json(path: Path) -> Any:
    """Return the content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))

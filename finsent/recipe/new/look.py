"""Looking at data: from their files to all that a recipe says of them."""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from finsent.recipe.encoder import Base
from finsent.recipe.new.columns import Columns, guess_columns
from finsent.recipe.new.draft import Seen, quickstart
from finsent.recipe.new.labels import LabelValue, find_labels
from finsent.recipe.new.language import guess_language
from finsent.recipe.new.place import Place
from finsent.recipe.new.read import read_tables
from finsent.recipe.new.table import Table
from finsent.release import TOKENIZER

SAMPLE = 5000  # texts that are tokenized
SPECIAL = 2


def look_at(place: Place, text: str | None, label: str | None, names: dict[str, str]) -> Seen:
    """Return what the files of a place say; `text` and `label` are columns that a person named."""
    table, layout = read_tables(place.all_files)
    columns = guess_columns(table, text, label)
    labels = find_labels(table.columns[columns.label.name], names)
    texts = _texts_by_label(table, columns, labels)
    sample = _spread([text for group in texts.values() for text in group])
    language, reason = guess_language(sample)
    tokens, unknown = measure_tokens(sample, quickstart().base)
    return Seen(place, layout, columns, labels, language, reason, texts, tokens, unknown)


def _texts_by_label(table: Table, columns: Columns, labels: list[LabelValue]) -> dict[str, list[str]]:
    names = {one.value: one.name for one in labels}
    found: dict[str, list[str]] = defaultdict(list)
    pairs = zip(table.columns[columns.text.name], table.columns[columns.label.name], strict=True)
    for text, value in pairs:
        name = names.get(value)
        if name and text.strip():
            found[name].append(text)
    return found


def _spread(texts: list[str]) -> list[str]:
    """Return at most SAMPLE texts from all parts of a list."""
    return texts[:: max(1, len(texts) // SAMPLE)]


def measure_tokens(texts: list[str], base: Base) -> tuple[int, float]:
    """Return the tokens that 99 of 100 texts stay below, and the share of words unknown to the encoder."""
    tokenizer = _load_tokenizer(base)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    unknown = tokenizer.token_to_id("[UNK]")
    ids = [one.ids for one in tokenizer.encode_batch(texts, add_special_tokens=False)]
    words = sum(len(text.split()) for text in texts)
    missed = sum(one.count(unknown) for one in ids)
    return int(np.percentile([len(one) for one in ids], 99)), missed / max(1, words)


def _load_tokenizer(base: Base) -> Tokenizer:
    """Load the tokenizer of a base that comes as a package; without torch, which takes seconds."""
    spec = importlib.util.find_spec(base.package or "")
    assert spec is not None and spec.origin is not None  # requirements.txt names the package
    return Tokenizer.from_file(str(Path(spec.origin).parent / base.folder / TOKENIZER))

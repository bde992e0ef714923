"""Looking at data: from their files to all that a recipe says of them."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from finsent.data.tables.columns import Columns, guess_columns
from finsent.data.tables.read import read_tables
from finsent.data.tables.table import Table
from finsent.encoder.find import find_base
from finsent.encoder.tokenizer_file import read_tokenizer
from finsent.recipe.new.defaults import LONGEST_BOUND
from finsent.recipe.new.draft import Seen, quickstart
from finsent.recipe.new.labels import LabelValue, find_labels
from finsent.recipe.new.language import guess_language
from finsent.recipe.new.place import Place
from finsent.recipe.recipe import Recipe

SAMPLE = 5000  # texts that are tokenized


@dataclass(frozen=True)
class Named:
    """What a person named of the data: columns, labels by their value, and what is `inside` a file.

    That is the `member` of a zip or the `sheet` of a workbook.
    """

    text: str | None = None
    label: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    inside: dict[str, str] = field(default_factory=dict)


def look_at(place: Place, named: Named, mirror: Path | None) -> Seen:
    """Return what the files of a place say, with what a person named as it was named."""
    table, layout = read_tables(place.all_files, named.inside)
    columns = guess_columns(table, named.text, named.label)
    labels = find_labels(table.columns[columns.label.name], named.labels)
    texts = _texts_by_label(table, columns, labels)
    sample = _spread([text for group in texts.values() for text in group])
    language, reason = guess_language(sample)
    tokens, unknown = measure_tokens(sample, quickstart(), mirror)
    characters = int(np.percentile([len(text) for text in sample], 99))
    return Seen(place, layout, columns, labels, language, reason, texts, sample, characters, tokens, unknown)


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


def measure_tokens(texts: list[str], recipe: Recipe, mirror: Path | None) -> tuple[int, float]:
    """Return the tokens that 99 of 100 texts stay below, and the share of words unknown to the encoder."""
    folder = find_base(recipe, mirror)
    text = recipe.text.model_copy(update={"max_characters": LONGEST_BOUND})
    file = read_tokenizer(folder, text, recipe.base.hub)
    tokenizer = Tokenizer.from_str(json.dumps(file.tree))
    unknown = tokenizer.token_to_id(file.special_tokens["unk_token"])
    ids = [one.ids for one in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
    words = sum(len(text.split()) for text in texts)
    missed = sum(one.count(unknown) for one in ids)
    return int(np.percentile([len(one) for one in ids], 99)), missed / max(1, words)

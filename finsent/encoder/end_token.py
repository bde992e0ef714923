"""The end token of models with a decoder: one in every text, whatever is written in it.

T5's head reads the decoder where `</s>` stands, and a batch whose rows do not have equally many of them is
refused. So a text that holds `</s>` must not become a second one: the piece gets a name that no text can
have, and its id is put in by the template alone.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tokenizers import Tokenizer

from finsent.encoder.tokenizer_file import TokenizerFile
from finsent.errors import BaseModelError

PREFIX = "prefix"  # what its pieces are called in the template
HIDDEN = " "  # at the end of a piece's name: tokenizers put another letter in the place of every blank


def frame_texts(
    tokenizer: TokenizerFile, end: int, name: str, prefix: Sequence[int] | None = None
) -> TokenizerFile:
    """Return the tokenizer with the end token `end` behind every text, and nowhere else.

    With a `prefix`, ids that come before every text, the end token stands first: text_to_text.py says why.
    Raises BaseModelError when a text can still hold that token; `name` is for the error.
    """
    tree = copy.deepcopy(tokenizer.tree)
    token = _hide(tree["model"], end)
    tree["added_tokens"] = [one for one in tree["added_tokens"] if one["id"] != end]
    tree["post_processor"] = _template({token: [end]} if prefix is None else {token: [end], PREFIX: prefix})
    found = Tokenizer.from_str(json.dumps(tree)).encode(f"{token} a {token} b{token}").ids
    if found.count(end) != 1:
        raise BaseModelError(
            f"base: {name} has a {tree['model']['type']} tokenizer that finds {token!r} in texts; choose a "
            "model with a tokenizer that replaces blanks by another character"
        )
    roles = {role: one for role, one in tokenizer.special_tokens.items() if one != token}
    return replace(tokenizer, tree=tree, special_tokens=roles)


def _hide(model: dict[str, Any], index: int) -> str:
    """Rename a piece so that no text holds it, and return its name from before."""
    pieces = model["vocab"]
    if isinstance(pieces, list):  # Unigram: name and score
        token = str(pieces[index][0]).removesuffix(HIDDEN)
        pieces[index][0] = token + HIDDEN
        return token
    told = str(next(piece for piece, number in pieces.items() if number == index))
    token = told.removesuffix(HIDDEN)
    pieces[token + HIDDEN] = pieces.pop(told)
    return token


def _template(framing: dict[str, Sequence[int]]) -> dict[str, Any]:
    """Return a post-processor that puts one name behind a text, or behind two; several come before it."""
    texts = [{"Sequence": {"id": part, "type_id": 0}} for part in "AB"]
    added = [{"SpecialToken": {"id": name, "type_id": 0}} for name in framing]
    before, behind = (added, []) if len(added) > 1 else ([], added)
    return {
        "type": "TemplateProcessing",
        "single": [*before, texts[0], *behind],
        "pair": [*before, *texts, *behind],
        "special_tokens": {
            name: {"id": name, "ids": list(ids), "tokens": [name] * len(ids)} for name, ids in framing.items()
        },
    }

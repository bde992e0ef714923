"""The vocabulary: which pieces stay, in tokenizer.json and in the embeddings alike.

tokenizer.json is edited as JSON, so ids, post-processor and special tokens stay in step, and the embeddings
keep just the rows of the pieces that stay.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from typing import Any, Literal, cast

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from finsent.errors import BaseModelError
from finsent.recipe.encoder import Base


def check_kind(tree: dict[str, Any], base: Base) -> None:
    """Raise BaseModelError for a tokenizer whose pieces cannot be chosen."""
    if (kind := tree["model"]["type"]) != "WordPiece":
        raise BaseModelError(
            f"base.vocabulary: got {base.vocabulary}, but {base.hub} has a {kind} tokenizer; tokens can "
            "only be "
            "selected in a WordPiece tokenizer, so leave the key out"
        )


def choose_pieces(
    tree: dict[str, Any], texts: list[str], size: int, characters: Literal["all", "latin"] = "all"
) -> list[int]:
    """Return the ids to keep, ascending: the most frequent pieces, and all that nothing can replace.

    Single characters and their ## forms always stay, and so does a piece with a character that has no such
    form, so nothing becomes [UNK] that was not before. With `latin` letters of other scripts go that stand in
    no text, which leaves room for words. `tree` is a WordPiece tokenizer. Raises BaseModelError if `size`
    has no room for what must stay.
    """
    vocabulary: dict[str, int] = tree["model"]["vocab"]
    tokenizer = Tokenizer.from_str(json.dumps(tree))
    counts: Counter[int] = Counter()
    for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False):
        counts.update(encoding.ids)
    must = {index for piece, index in vocabulary.items() if _cannot_be_spelled(piece, vocabulary)}
    foreign = _find_foreign(vocabulary, tokenizer, texts) if characters == "latin" else set()
    must = (must - foreign) | {token["id"] for token in tree["added_tokens"]}
    if size < len(must):
        raise BaseModelError(
            f"base.vocabulary: got {size}, allowed: {len(must)} or more, because single characters must stay"
        )
    others = set(vocabulary.values()) - must
    by_use = sorted(others, key=lambda index: (index in foreign, -counts[index], index))
    return sorted(must | set(by_use[: size - len(must)]))


def _cannot_be_spelled(piece: str, vocabulary: dict[str, int]) -> bool:
    letters = piece.removeprefix("##")
    if len(letters) == 1:
        return True
    first = piece[:3] if piece.startswith("##") else piece[0]
    return first not in vocabulary or any(f"##{letter}" not in vocabulary for letter in letters[1:])


def _find_foreign(vocabulary: dict[str, int], tokenizer: Tokenizer, texts: list[str]) -> set[int]:
    """Return the ids of letters of other scripts than Latin that stand in no text."""
    used = {letter for text in texts for letter in tokenizer.normalizer.normalize_str(text)}
    return {
        index
        for piece, index in vocabulary.items()
        if is_foreign(piece.removeprefix("##")) and piece.removeprefix("##") not in used
    }


def is_foreign(letter: str) -> bool:
    """Return whether this is one letter of another script than Latin; ², ½ and ª stand for Latin ones."""
    if len(letter) != 1 or unicodedata.category(letter)[0] not in "LM":
        return False
    plain = unicodedata.normalize("NFKC", letter)
    return not plain.isascii() and unicodedata.name(plain[0], "").split(" ")[0] not in ("LATIN", "MODIFIER")


def renumber_pieces(tree: dict[str, Any], kept: list[int]) -> dict[str, Any]:
    """Return the tokenizer with only the kept pieces, numbered anew in the same order."""
    new = {old: position for position, old in enumerate(kept)}
    vocabulary = tree["model"]["vocab"]
    renumbered = dict(tree)
    renumbered["model"] = tree["model"] | {
        "vocab": {piece: new[index] for piece, index in vocabulary.items() if index in new}
    }
    renumbered["added_tokens"] = [token | {"id": new[token["id"]]} for token in tree["added_tokens"]]
    renumbered["post_processor"] = _renumber_processor(tree["post_processor"], new)
    return renumbered


def _renumber_processor(processor: dict[str, Any], new: dict[int, int]) -> dict[str, Any]:
    if processor["type"] == "TemplateProcessing":
        tokens = processor["special_tokens"].items()
        return processor | {
            "special_tokens": {
                key: token | {"ids": [new[old] for old in token["ids"]]} for key, token in tokens
            }
        }
    if processor["type"] == "BertProcessing":
        return processor | {key: [processor[key][0], new[processor[key][1]]] for key in ("sep", "cls")}
    raise BaseModelError(
        f"base.vocabulary: a post-processor of type {processor['type']} cannot be renumbered"
    )


def keep_embeddings(model: PreTrainedModel, kept: list[int]) -> None:
    """Keep the embeddings of these pieces, in this order."""
    old = cast("torch.nn.Embedding", model.get_input_embeddings())
    padding = kept.index(old.padding_idx) if old.padding_idx is not None else None
    new = torch.nn.Embedding(len(kept), old.embedding_dim, padding_idx=padding)
    new.weight.data = old.weight.data[kept].clone()
    model.set_input_embeddings(new)
    model.config.vocab_size = len(kept)
    model.config.pad_token_id = padding

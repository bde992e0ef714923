"""The tokenizer of an encoder, of any fast kind, as a tokenizer.json with the recipe's text rules.

WordPiece, BPE (byte-level or not) and Unigram, from tokenizer.json or from what an older repository ships in
its place: vocab.txt, vocab.json with merges.txt, or a SentencePiece model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from finsent.encoder.text_rules import build_normalizer, find_own_normalizer
from finsent.errors import BaseModelError, first_line
from finsent.recipe.text import Text
from finsent.release import SPECIAL_TOKENS, TOKENIZER, TOKENIZER_CONFIG

VOCABULARIES = (
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spm.model",
    "spiece.model",
    "sentencepiece.bpe.model",
)
TOKENIZER_FILES = (TOKENIZER, TOKENIZER_CONFIG, SPECIAL_TOKENS, "added_tokens.json", *VOCABULARIES)
ROLES = ("unk_token", "sep_token", "pad_token", "cls_token", "mask_token", "bos_token", "eos_token")
BYTES_A_CHARACTER = 4  # of UTF-8, at most


@dataclass(frozen=True)
class TokenizerFile:
    """A tokenizer.json as a tree, and its special tokens by their role in transformers (`pad_token`)."""

    tree: dict[str, Any]
    special_tokens: dict[str, str]

    @property
    def tokens_a_character(self) -> int:
        """How many tokens a character can become at most: bytes have tokens of their own in some kinds."""
        by_byte = "ByteLevel" in _types(self.tree["pre_tokenizer"]) | _types(self.tree["normalizer"])
        return BYTES_A_CHARACTER if by_byte or self.tree["model"].get("byte_fallback") else 1


def read_tokenizer(folder: Path, text: Text, name: str) -> TokenizerFile:
    """Return the tokenizer of an encoder's folder, without truncation or padding; `name` is for errors.

    Both would be obeyed by raw `tokenizers` and ignored by `pipeline`, so that the same text got two answers.
    Raises BaseModelError: there is none, it has no token for padding, or `text.lowercase` is not what the
    encoder learnt with.
    """
    loaded = _load(folder, name)
    path = folder / TOKENIZER
    told = path.read_text(encoding="utf-8") if path.is_file() else loaded.backend_tokenizer.to_str()
    tree = cast("dict[str, Any]", json.loads(told))
    special_tokens = {role: str(getattr(loaded, role)) for role in ROLES if getattr(loaded, role) is not None}
    shell = Tokenizer.from_str(told)
    _check_special_tokens(shell, special_tokens, tree["model"]["type"], name)
    _check_case(shell, text, name)
    own = None if tree["model"]["type"] == "WordPiece" else find_own_normalizer(shell)
    shell.normalizer = build_normalizer(text, own, is_wordpiece=tree["model"]["type"] == "WordPiece")
    tree["normalizer"] = json.loads(shell.to_str())["normalizer"]
    tree["truncation"] = tree["padding"] = None
    return TokenizerFile(tree, special_tokens)


def _load(folder: Path, name: str) -> PreTrainedTokenizerFast:
    if not any((folder / file).is_file() for file in (TOKENIZER, *VOCABULARIES)):
        raise BaseModelError(
            f"base: {name} has no {TOKENIZER}, nor one of {', '.join(VOCABULARIES)}; choose an encoder that "
            "ships its tokenizer"
        )
    try:
        loaded = AutoTokenizer.from_pretrained(folder, use_fast=True, trust_remote_code=False)
    except Exception as error:  # transformers and tokenizers raise many types for a file they cannot read
        raise BaseModelError(f"base: the tokenizer of {name} cannot be read: {first_line(error)}") from error
    if not loaded.is_fast:
        raise BaseModelError(
            f"base: {name} has a {type(loaded).__name__}, which {TOKENIZER} cannot represent; choose an "
            "encoder "
            "with a fast tokenizer"
        )
    return cast("PreTrainedTokenizerFast", loaded)


def _check_special_tokens(tokenizer: Tokenizer, tokens: dict[str, str], kind: str, name: str) -> None:
    """Raise BaseModelError without a token for padding, or where one that is named is not there."""
    lost = sorted({token for token in tokens.values() if tokenizer.token_to_id(token) is None})
    if lost:
        raise BaseModelError(
            f"base: {name} has a {kind} tokenizer without {', '.join(lost)}, which its other files name; "
            "choose an encoder whose files agree"
        )
    if "pad_token" not in tokens:
        raise BaseModelError(
            f"base: {name} has a {kind} tokenizer without a padding token; choose an encoder that has one, "
            "such as BERT, RoBERTa or ModernBERT"
        )


def _check_case(tokenizer: Tokenizer, text: Text, name: str) -> None:
    """Raise BaseModelError if the recipe and the encoder do not agree on capitals."""
    lowercase = knows_no_capitals(tokenizer)
    if lowercase == text.lowercase:
        return
    reason = "knows lower-case letters only" if lowercase else "is case-sensitive"
    raise BaseModelError(
        f"text.lowercase: got {str(text.lowercase).lower()}, but {name} {reason}; write "
        f"lowercase: {str(lowercase).lower()}"
    )


def knows_no_capitals(tokenizer: Tokenizer) -> bool:
    """Return whether a tokenizer lowers capitals itself, or has no piece with one."""
    if tokenizer.normalizer is not None and tokenizer.normalizer.normalize_str("A") != "A":
        return True
    special = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    special |= {piece for piece in tokenizer.get_vocab() if piece.startswith(("[", "<"))}
    return not any(piece != piece.lower() for piece in tokenizer.get_vocab().keys() - special)


def _types(part: Any) -> set[str]:  # noqa: ANN401  (a part of tokenizer.json)
    """Return the types of a normalizer or pre-tokenizer and of all in it."""
    if isinstance(part, list):
        return set().union(*(_types(one) for one in part))
    if not isinstance(part, dict):
        return set()
    return {str(part.get("type"))}.union(*(_types(one) for one in part.values()))

"""Encoders of every family with random weights and a tokenizer of its kind, saved as the Hub has them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModel

from tests import tiny

BERT_TOKENS = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
ROBERTA_TOKENS = {
    "cls_token": "<s>",
    "pad_token": "<pad>",
    "sep_token": "</s>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}
ALBERT_TOKENS = {
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}

WORDS = {  # how a small T5 answers text to text
    "prefix": "report: ",
    "words": {"negative": "fell", "neutral": "sales", "positive": "rose"},
}
T5_TOKENS = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
SENTINELS = ["<extra_id_0>", "<extra_id_1>"]  # what T5 puts in the place of spans


@dataclass(frozen=True)
class Kind:
    """How one family is made small. `tokens` are in the order of their ids, from 0."""

    tokenizer: str
    tokens: dict[str, str]
    config: dict[str, Any]
    tokenizer_class: str | None = None


COMMON = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 128,
}
DISTIL = {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64, "max_position_embeddings": 128}
COUNTED = COMMON | {"max_position_embeddings": 130, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
DISENTANGLED = COMMON | {
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "type_vocab_size": 0,
}
T5 = {
    "d_model": 32,
    "d_kv": 16,
    "d_ff": 64,
    "num_layers": 2,
    "num_heads": 2,
    "decoder_start_token_id": 0,
    "n_positions": 128,
}
KINDS = {
    "bert": Kind("wordpiece", BERT_TOKENS, COMMON),
    "distilbert": Kind("wordpiece", BERT_TOKENS, DISTIL),
    "electra": Kind("wordpiece", BERT_TOKENS, COMMON | {"embedding_size": 32}),
    "mpnet": Kind("wordpiece", ROBERTA_TOKENS | {"unk_token": "[UNK]"}, COUNTED),
    "albert": Kind("unigram", ALBERT_TOKENS, COMMON | {"embedding_size": 16}),
    "roberta": Kind("byte-level", ROBERTA_TOKENS, COUNTED | {"type_vocab_size": 1}),
    "xlm-roberta": Kind("unigram", ROBERTA_TOKENS, COUNTED | {"type_vocab_size": 1}),
    "camembert": Kind("unigram", ROBERTA_TOKENS, COUNTED | {"type_vocab_size": 1}),
    "deberta": Kind("byte-level", BERT_TOKENS, DISENTANGLED),
    "deberta-v2": Kind(
        "unigram", BERT_TOKENS, DISENTANGLED | {"position_buckets": 16, "share_att_key": True}
    ),
    "modernbert": Kind(
        "byte-level",
        BERT_TOKENS,
        COMMON | {"local_attention": 16, "num_hidden_layers": 4, "pad_token_id": 0},
        "PreTrainedTokenizerFast",
    ),
    "t5": Kind("unigram", T5_TOKENS, T5),
}


def save_encoder(folder: Path, kind: str, **changes: Any) -> Path:
    """Save a small encoder of a family and return its folder; `changes` replace keys of its config."""
    folder.mkdir(parents=True)
    made = KINDS[kind]
    tokenizer = make_tokenizer(made)
    tokenizer.save(str(folder / "tokenizer.json"))
    told = made.tokens | ({"tokenizer_class": made.tokenizer_class} if made.tokenizer_class else {})
    (folder / "tokenizer_config.json").write_text(json.dumps(told), encoding="utf-8")
    torch.manual_seed(0)
    shape = {"vocab_size": tokenizer.get_vocab_size()} | made.config | changes
    config = AutoConfig.for_model(kind, **shape)
    AutoModel.from_config(config).save_pretrained(folder)
    return folder


def save_t5(folder: Path, **changes: Any) -> Path:
    """Save a small T5 with its output embedding, as the Hub has it."""
    encoder = save_encoder(folder, "t5", **changes)
    torch.manual_seed(0)
    transformers.T5ForConditionalGeneration.from_pretrained(encoder).save_pretrained(encoder)
    return encoder


def random_classifier() -> transformers.T5ForSequenceClassification:
    """Return a small T5 with a head, nothing of it fitted."""
    torch.manual_seed(0)
    return transformers.T5ForSequenceClassification(transformers.T5Config(vocab_size=99, **T5)).eval()


def save_with_head(folder: Path, labels: int) -> Path:
    """Save a BERT that was fitted for other labels."""
    tiny.save_encoder(folder, "bert")
    torch.manual_seed(1)
    config = transformers.BertConfig.from_pretrained(folder, num_labels=labels)
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def make_tokenizer(kind: Kind) -> Tokenizer:
    """Return a tokenizer of a kind that learnt the tiny rows."""
    if kind.tokenizer == "wordpiece":
        return _make_wordpiece(kind.tokens)
    texts = [row["text"] for row in tiny.make_rows()] + ["".join(map(chr, range(33, 127))), "é ß 中 한 €"]
    special = [*kind.tokens.values(), *(SENTINELS if kind.tokens is T5_TOKENS else ())]
    if kind.tokenizer == "byte-level":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer: Any = trainers.BpeTrainer(
            vocab_size=500, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
        )
    else:
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=300, special_tokens=special, unk_token=kind.tokens["unk_token"]
        )
    tokenizer.train_from_iterator(texts, trainer)
    return _add_frame(tokenizer, kind.tokens)


def _make_wordpiece(tokens: dict[str, str]) -> Tokenizer:
    tree = json.loads(tiny.make_tokenizer().to_str())
    pieces = [piece for piece in tree["model"]["vocab"] if piece not in BERT_TOKENS.values()]
    vocabulary = {piece: index for index, piece in enumerate([*tokens.values(), *pieces])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=tokens["unk_token"]))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(list(tokens.values()))
    return _add_frame(tokenizer, tokens)


def _add_frame(tokenizer: Tokenizer, tokens: dict[str, str]) -> Tokenizer:
    if "cls_token" not in tokens:
        last = tokens["eos_token"]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"$A {last}",
            pair=f"$A {last} $B {last}",
            special_tokens=[(last, tokenizer.token_to_id(last))],
        )
        return tokenizer
    first, last = tokens["cls_token"], tokens["sep_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} $B:1 {last}:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (first, last)],
    )
    return tokenizer

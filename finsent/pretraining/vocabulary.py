"""A tokenizer of one's own: Unigram or WordPiece, trained on the texts by `tokenizers`.

That library draws the order of its hash tables anew in every process, so pieces of equal worth swap places,
and the last digits of a score differ. What it finds is put into one order here, so the same texts and seed
give the same bytes.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate, groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

from tokenizers import (
    Encoding,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

from finsent.encoder.text_rules import build_normalizer
from finsent.errors import DataError
from finsent.recipe.pretraining import Pretraining, Vocabulary
from finsent.recipe.text import Text

SENTINELS = [f"<extra_id_{number}>" for number in range(100)]
SPARE = 1.1  # pieces more than wanted: where the last of them are cut is decided by one order
DIGITS = 6  # of a score
STEP = 1e-4  # by which the library lifts one letter after another that it left without a score
SPACE = "▁"  # what Unigram has in the place of a space
T5_TOKENS = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
BERT_TOKENS = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
Scored = list[tuple[str, float]]


def train_tokenizer(recipe: Pretraining, texts: Sequence[str], folder: Path) -> None:
    """Train the tokenizer of a recipe and save it as transformers reads it. DataError: too few pieces."""
    assert recipe.tokenizer is not None  # the recipe's validator holds this, where there is no base
    plan, is_span = recipe.tokenizer, recipe.objective == "span"
    special = T5_TOKENS if is_span else BERT_TOKENS
    shell = make_shell(plan, recipe.text, special["unk_token"])
    sample = list(draw_texts(texts, plan.characters, recipe.seed))
    pieces = choose_pieces(_learn(shell, plan, recipe.text, sample, special["unk_token"]), plan)
    _add_pieces(shell, plan, pieces, list(special.values()))
    _frame(shell, is_span)
    PreTrainedTokenizerFast(
        tokenizer_object=shell,
        model_max_length=recipe.training.length
        if is_span
        else recipe.model.positions
        if recipe.model
        else 512,
        model_input_names=["input_ids", "attention_mask"],
        **special,
        **({"additional_special_tokens": SENTINELS} if is_span else {}),
    ).save_pretrained(folder)


def make_shell(plan: Vocabulary, text: Text, unknown: str) -> Tokenizer:
    """Return a tokenizer without pieces. It cleans as an encoder's own does; rules come with a recipe."""
    if plan.kind == "wordpiece":
        shell = Tokenizer(models.WordPiece(unk_token=unknown))
        shell.normalizer = normalizers.BertNormalizer(
            clean_text=True, handle_chinese_chars=True, strip_accents=text.lowercase, lowercase=text.lowercase
        )
        shell.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        shell.decoder = decoders.WordPiece()
        return shell
    shell = Tokenizer(models.Unigram())
    spaces = [normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]  # else a new line is no piece
    steps = [normalizers.NFKC(), *([normalizers.Lowercase()] if text.lowercase else []), *spaces]
    shell.normalizer = normalizers.Sequence(steps)
    shell.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    shell.decoder = decoders.Metaspace(replacement=SPACE, prepend_scheme="always")
    return shell


def draw_texts(texts: Sequence[str], characters: int, seed: int) -> Iterator[str]:
    """Yield texts in an order drawn by the seed until there are so many characters."""
    for text in random.Random(seed).sample(list(texts), len(texts)):
        if characters <= 0:
            return
        characters -= len(text)
        yield text


def _learn(shell: Tokenizer, plan: Vocabulary, text: Text, sample: list[str], unknown: str) -> Scored:
    """Return some more pieces than are wanted with what they are worth, in no order."""
    learner = Tokenizer.from_str(shell.to_str())
    own, wanted = shell.normalizer, round(plan.pieces * SPARE)
    learner.normalizer = build_normalizer(text, own, is_wordpiece=plan.kind == "wordpiece")
    learner = without_bound(learner)
    if plan.kind == "unigram":
        trainer: Any = trainers.UnigramTrainer(
            vocab_size=wanted + 1, special_tokens=[unknown], unk_token=unknown, show_progress=False
        )
        learner.train_from_iterator(sample, trainer)
        found = dict(json.loads(learner.to_str())["model"]["vocab"])
        found.pop(unknown)
        return _level_letters(found)
    learner.model = models.BPE(unk_token=unknown)
    learner.train_from_iterator(sample, trainers.BpeTrainer(vocab_size=wanted, show_progress=False))
    words = Counter(word for one in learner.encode_batch(sample) for word in _read_words(one))
    return _place_pieces(words, learner.get_vocab())


def _read_words(encoding: Encoding) -> Iterator[tuple[str, ...]]:
    """Yield the pieces of every word of a text."""
    pieces = zip(encoding.word_ids, encoding.tokens, strict=True)
    for _, word in groupby(pieces, key=itemgetter(0)):
        yield tuple(piece for _, piece in word)


def _place_pieces(words: Counter[tuple[str, ...]], known: Collection[str]) -> Scored:
    """Return known pieces with how often a word has them, with ## where they do not begin it.

    WordPiece needs those as well that lie within longer ones, for words that were not seen. The library's
    own trainer for WordPiece merges equal pairs in another order in every process.
    """
    used: Counter[str] = Counter()
    longest = max(map(len, known))
    for pieces, count in words.items():
        word = "".join(pieces)
        ends = list(accumulate(map(len, pieces), initial=0))
        told = set(pairwise(ends))
        for start in range(len(word)):
            for end in range(start + 1, min(len(word), start + longest) + 1):
                if word[start:end] in known:
                    used[f"{'##' if start else ''}{word[start:end]}"] += count if (start, end) in told else 0
    return [(piece, float(count)) for piece, count in used.items()]


def _level_letters(found: dict[str, float]) -> Scored:
    """Return pieces with their scores; letters that were only put in for their own sake share the lowest."""
    lowest = min(found.values())
    reach = lowest + STEP * (sum(len(piece) == 1 for piece in found) + 1)
    return [(piece, lowest if len(piece) == 1 and score < reach else score) for piece, score in found.items()]


def choose_pieces(scored: Scored, plan: Vocabulary) -> Scored:
    """Return single letters, the recipe's words and the best other pieces: best first, equals by name."""
    rounded = {piece: round(score, DIGITS) for piece, score in scored}
    best = max(rounded.values())
    words = [SPACE + word if plan.kind == "unigram" else word for word in plan.words]
    rounded |= {word: best for word in words if word not in rounded}
    must = {piece for piece in rounded if len(piece.removeprefix("##")) == 1} | set(words)
    if plan.pieces < len(must):
        raise DataError(
            f"tokenizer.pieces: got {plan.pieces}, allowed: {len(must)} or more, as letters must stay"
        )
    ranked = sorted(rounded, key=lambda piece: (piece not in must, -rounded[piece], piece))
    kept = sorted(ranked[: plan.pieces], key=lambda piece: (-rounded[piece], piece))
    return [(piece, rounded[piece]) for piece in kept]


def _add_pieces(shell: Tokenizer, plan: Vocabulary, pieces: Scored, special: list[str]) -> None:
    """Give a shell its model: special tokens first, then the pieces; sentinels come behind all of them."""
    unknown = next(token for token in special if "unk" in token.lower())
    if plan.kind == "unigram":
        vocabulary = [*((token, 0.0) for token in special), *pieces]
        shell.model = models.Unigram(vocabulary, unk_id=special.index(unknown), byte_fallback=False)
    else:
        names = [*special, *(piece for piece, _ in pieces)]
        shell.model = models.WordPiece(
            {piece: number for number, piece in enumerate(names)}, unk_token=unknown
        )
    shell.add_special_tokens(special)


def _frame(shell: Tokenizer, is_span: bool) -> None:
    """Say what stands around a text; for T5 the sentinels are the last ids, <extra_id_0> the very last."""
    if is_span:
        shell.add_special_tokens(SENTINELS[::-1])
        form, ends = {"single": "$A </s>", "pair": "$A </s> $B:1 </s>:1"}, ["</s>"]
    else:
        form, ends = {"single": "[CLS] $A [SEP]", "pair": "[CLS] $A [SEP] $B:1 [SEP]:1"}, ["[CLS]", "[SEP]"]
    shell.post_processor = processors.TemplateProcessing(
        **form, special_tokens=[(token, shell.token_to_id(token)) for token in ends]
    )


def without_bound(tokenizer: Tokenizer) -> Tokenizer:
    """Return a tokenizer without the last step of its normalizer, which cuts long texts."""
    tree = json.loads(tokenizer.to_str())
    tree["normalizer"]["normalizers"].pop()
    return Tokenizer.from_str(json.dumps(tree))

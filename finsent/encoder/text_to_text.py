"""T5 as its authors use it: a prefix and a text go in, and the decoder answers with the word of a label.

The probabilities are those of the first step of the decoder, at the first piece of every label's word, as
monoT5 does it (https://arxiv.org/abs/2003.06713).

A release holds a plain T5ForSequenceClassification that answers the same. Its decoder reads `<pad>` and then
the text; its head reads where `</s>` stands. With `</s>` in front of the text that is where the decoder has
seen `<pad>` alone, its first step. So `pipeline("text-classification")` needs no code of ours.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import (
    AutoModelForSequenceClassification,
    PreTrainedModel,
    T5ForConditionalGeneration,
    T5ForSequenceClassification,
)
from transformers.modeling_outputs import SequenceClassifierOutput

from finsent.encoder.end_token import frame_texts
from finsent.encoder.positions import SPARE
from finsent.encoder.slim_attention import check_square, slim_down
from finsent.encoder.tokenizer_file import TokenizerFile
from finsent.errors import BaseModelError
from finsent.recipe.recipe import Recipe
from finsent.release import FIRST_STEP, SLIM

LONGEST_PREFIX = SPARE - 2  # pieces, so that a text of the greatest length still has its positions
LARGEST = 2.0**-10  # of what enters the head's tanh, which is linear there to 3e-7


class TextToText(T5ForSequenceClassification):  # type: ignore[misc]  # transformers' types are incomplete
    """T5 that makes one step; `out_proj` of its head holds the rows of the labels' pieces `(n_labels, d)`."""

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **_: Any,  # noqa: ANN401  (what transformers passes to every model)
    ) -> SequenceClassifierOutput:
        """Return logits `(n, n_labels)`; `labels` are there for the Trainer, which looks for their name."""
        states = self.transformer.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]
        step = self.transformer.decoder(
            input_ids=torch.full_like(input_ids[:, :1], self.config.decoder_start_token_id),
            encoder_hidden_states=states,
            encoder_attention_mask=attention_mask,
            use_cache=False,
        )[0]
        last = self.classification_head.out_proj
        return SequenceClassifierOutput(logits=nn.functional.linear(step[:, 0], last.weight, last.bias))

    def as_plain(self) -> T5ForSequenceClassification:
        """Return a model of transformers' own class that answers the same where `</s>` comes first.

        Its head has a tanh, which what enters is made too small for: states are at most the norm's weight
        times the root of their size. Powers of two are divided without a rounding.
        """
        plain = T5ForSequenceClassification(self.config)
        plain.transformer = self.transformer
        norm = self.transformer.decoder.final_layer_norm.weight.detach().abs().max()
        most = float(norm) * math.sqrt(self.config.d_model)
        scale = 2.0 ** math.floor(math.log2(LARGEST / max(most, LARGEST)))
        head, last = plain.classification_head, self.classification_head.out_proj
        head.dense.weight = nn.Parameter(scale * torch.eye(self.config.d_model))
        head.out_proj.weight = nn.Parameter(last.weight.detach() / scale)
        for bias in (head.dense.bias, head.out_proj.bias):
            bias.data.zero_()
        return plain


def answer_by(model: T5ForSequenceClassification, rows: Tensor) -> None:
    """Answer by these rows `(n_labels, d)` of the output embedding; nothing else of the head learns."""
    head = model.classification_head
    head.requires_grad_(False)
    head.out_proj.weight = nn.Parameter(rows.clone())
    head.out_proj.bias.zero_()
    model.config.update({FIRST_STEP: True})


def read_words(model: T5ForSequenceClassification) -> Tensor:
    """Return the rows `(n_labels, d)` of a head that `as_plain` made."""
    head = model.classification_head
    rows: Tensor = head.out_proj.weight.detach() @ head.dense.weight.detach()
    return rows


def load_plain(folder: Path) -> PreTrainedModel:
    """Load a saved classifier to export it: of the text-to-text form no more than the step it answers by."""
    model = AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation="eager")
    if getattr(model.config, FIRST_STEP, False):
        answer_by(model, read_words(model))
        model.forward = types.MethodType(TextToText.forward, model)  # optimum wants a class of transformers
    if getattr(model.config, SLIM, False):
        slim_down(model)
    return model


def frame_for_decoder(
    model: PreTrainedModel, tokenizer: TokenizerFile, recipe: Recipe, folder: Path | None
) -> TokenizerFile:
    """Return the tokenizer for a T5 as a recipe wants it, and let `model` answer by the words, if it shall.

    `folder` holds the checkpoint that was loaded, None for a release of ours, which knows its words.
    """
    form, end, name = recipe.base.text_to_text, int(model.config.eos_token_id), recipe.base.hub
    if form is None:
        said = [key for key in (FIRST_STEP, SLIM) if getattr(model.config, key, False)]
        model.config.update(dict.fromkeys(said, False))  # by a release of the other form
        return frame_texts(tokenizer, end, name)
    assert isinstance(model, TextToText)
    if recipe.base.slim_attention:
        check_square(model.config, name)
    model.config.update({SLIM: recipe.base.slim_attention})
    shell = Tokenizer.from_str(json.dumps(tokenizer.tree))
    unknown = tokenizer.special_tokens.get("unk_token")
    pieces = find_pieces(shell, [form.words[label] for label in recipe.labels], unknown)
    answer_by(model, read_words(model) if folder is None else read_rows(folder, pieces, name))
    prefix = shell.encode(form.prefix.strip(), add_special_tokens=False).ids
    if len(prefix) > LONGEST_PREFIX:
        raise BaseModelError(
            f"base.text_to_text.prefix: {form.prefix!r} is {len(prefix)} pieces, allowed are "
            f"{LONGEST_PREFIX}; write a shorter one"
        )
    return frame_texts(tokenizer, end, name, prefix)


def find_pieces(tokenizer: Tokenizer, words: Sequence[str], unknown: str | None) -> list[int]:
    """Return the first piece of every word, a blank alone not counted.

    BaseModelError where two begin alike, or one begins with the `unknown` piece.
    """
    found: dict[int, str] = {}
    for word in words:
        encoded = tokenizer.encode(word.strip(), add_special_tokens=False)
        known = [index for index, token in zip(encoded.ids, encoded.tokens, strict=True) if token != "▁"]
        first = known[0] if known else None
        if first is None or first in found or tokenizer.id_to_token(first) == unknown:
            alike = f"begins as {found[first]!r} does" if first in found else "has no piece in the vocabulary"
            raise BaseModelError(f"base.text_to_text.words: {word!r} {alike}; choose another word")
        found[first] = word
    return list(found)


def read_rows(folder: Path, pieces: Sequence[int], name: str) -> Tensor:
    """Return what the decoder's states are multiplied by to score pieces, `(len(pieces), d)`.

    Raises BaseModelError for a checkpoint without an output embedding; `name` is for the error.
    """
    model, loaded = T5ForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True
    )
    tied = bool(model.config.tie_word_embeddings)
    if not tied and "lm_head.weight" in loaded["missing_keys"]:
        raise BaseModelError(
            f"base.text_to_text: {name} has no lm_head, which scores the words; use a T5 that was saved "
            "with it, or leave the key out for a head"
        )
    rows: Tensor = model.lm_head.weight.detach()[list(pieces)]
    return rows * model.config.d_model**-0.5 if tied else rows

"""The encoder that a release starts from: loaded with a fresh head, its tokenizer prepared, cut to size."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from transformers import (
    MODEL_FOR_MASKED_LM_MAPPING,
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    AutoConfig,
    AutoModelForSequenceClassification,
    PretrainedConfig,
    PreTrainedModel,
)

from finsent.encoder.base_model import BaseModel
from finsent.encoder.families import FAMILIES, Family, find_family, find_row
from finsent.encoder.find import find_base
from finsent.encoder.low_rank import factor_embeddings
from finsent.encoder.positions import check_bound, resize_positions
from finsent.encoder.pruning import keep_layers, prune_hidden, prune_intermediate
from finsent.encoder.text_to_text import TextToText, frame_for_decoder
from finsent.encoder.tokenizer_file import read_tokenizer
from finsent.encoder.vocabulary import check_kind, choose_pieces, keep_embeddings, renumber_pieces
from finsent.errors import BaseModelError, first_line
from finsent.recipe.encoder import Base
from finsent.recipe.recipe import Recipe

LONGEST_REASON = 200  # characters of what a library says
USUAL_POSITIONS = 512  # of a config that names none, as positions are distances
FRESH = ("pooler.",)  # parts below the encoder that checkpoints of masked language models lack


def load_base(
    recipe: Recipe, texts: list[str], mirror: Path | None = None, teacher: Path | None = None
) -> BaseModel:
    """Load the recipe's encoder with a head for its labels; `texts` (training rows) decide which pieces stay.

    `teacher` is a release to take in the place of the base, made from the same base and with the same labels.
    Raises BaseModelError: weights are missing, altered or of another shape, the architecture is no encoder,
    its tokenizer cannot be had, or the recipe asks for layers, pieces, positions or characters that this
    encoder does not have.
    """
    folder = teacher or find_base(recipe, mirror)
    _check_form(recipe.base, check_architecture(folder, recipe.base.hub))
    tokenizer = read_tokenizer(folder, recipe.text, recipe.base.hub)
    model = _load_classifier(folder, recipe, fresh_head=teacher is None)
    if find_family(model).decodes:
        tokenizer = frame_for_decoder(model, tokenizer, recipe, None if teacher else folder)
    if recipe.base.positions is not None:
        resize_positions(model, recipe.base.positions)
    check_bound(model, recipe, tokenizer.tokens_a_character)
    if recipe.base.layers is not None:
        keep_layers(model, recipe.base.layers)
    tree = _cut_vocabulary(model, tokenizer.tree, recipe.base, texts)
    base = BaseModel(
        model, json.dumps(tree, ensure_ascii=False), _input_names(model), tokenizer.special_tokens
    )
    if recipe.base.intermediate_size is not None:
        prune_intermediate(model, base.tokenizer(), texts, recipe.base.intermediate_size)
    if recipe.base.hidden_size is not None:
        prune_hidden(model, base.tokenizer(), texts, recipe.base.hidden_size)
    if (rank := recipe.base.embedding_rank) is not None:
        factored = factor_embeddings(model, base.tokenizer(), texts, rank, recipe.training_seed)
        return replace(base, model=factored)
    return base


def check_architecture(folder: Path, name: str) -> Family:
    """Return the family; BaseModelError unless config.json is of an encoder that transformers itself brings.

    T5 counts as one, although it has a decoder.
    """
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # whatever is in the file
        raise BaseModelError(
            f"base: config.json of {name} cannot be read: {first_line(error)[:200]}"
        ) from error
    kind, family = type(config), find_row(config)
    is_encoder = kind in MODEL_FOR_MASKED_LM_MAPPING and not config.is_encoder_decoder
    if not (is_encoder or family.decodes) or kind not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        raise BaseModelError(
            f"base: {name} is of type {config.model_type!r}, which is not an encoder that can classify; "
            f"allowed are {', '.join(sorted(FAMILIES))} and others that "
            "transformers trains as masked language models"
        )
    return family


def _check_form(base: Base, family: Family) -> None:
    if base.text_to_text is not None and not family.decodes:
        raise BaseModelError(
            f"base.text_to_text: {base.hub} has no decoder to answer with words; use a T5, or leave it out"
        )


def _load_classifier(folder: Path, recipe: Recipe, *, fresh_head: bool) -> PreTrainedModel:
    kind = TextToText if recipe.base.text_to_text else AutoModelForSequenceClassification
    torch.manual_seed(recipe.training_seed)  # the head is drawn here
    try:
        model, loaded = kind.from_pretrained(
            folder,
            num_labels=len(recipe.labels),
            id2label=dict(enumerate(recipe.labels)),
            label2id={label: index for index, label in enumerate(recipe.labels)},
            problem_type="single_label_classification",
            dtype=torch.float32,
            attn_implementation="eager",  # on short texts and CPUs faster to train than the fused one
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # of the head alone: see _check_loaded
            output_loading_info=True,
        )
    except Exception as error:  # safetensors, pickle and transformers raise many types for a broken file
        raise BaseModelError(
            f"base: {recipe.base.hub} cannot be loaded: {first_line(error)[:200]}"
        ) from error
    _check_loaded(model, loaded, recipe.base.hub)
    if fresh_head:
        _draw_head(model, loaded["missing_keys"], recipe.training_seed)
    model.config._name_or_path = recipe.base.hub  # never a path of this machine
    if find_family(model).decodes:
        _complete_config(model.config)
    return cast("PreTrainedModel", model)


def _complete_config(config: PretrainedConfig) -> None:
    """Write what other encoders' configs say: how long a text may be. A classifier decodes once, uncached."""
    config.use_cache = False
    if not hasattr(config, "max_position_embeddings"):
        config.max_position_embeddings = getattr(config, "n_positions", USUAL_POSITIONS)


def _check_loaded(model: PreTrainedModel, loaded: dict[str, Any], name: str) -> None:
    """Raise BaseModelError if weights of the encoder itself were missing or of another shape."""
    prefix = f"{model.base_model_prefix}."
    other = [key for key in loaded["mismatched_keys"] if key.startswith(prefix)]
    lost = [key.removeprefix(prefix) for key in loaded["missing_keys"] if key.startswith(prefix)]
    if lost := [key for key in lost if not key.startswith(FRESH)]:
        raise BaseModelError(
            f"base: the weights of {name} lack {len(lost)} of the encoder's parts, such as {lost[0]}; they "
            "belong to another architecture than its config.json says"
        )
    if other:
        raise BaseModelError(
            f"base: {len(other)} weights of {name}, such as {other[0]}, do not have the shape that its "
            "config.json says; use files of one model"
        )


def _draw_head(model: PreTrainedModel, missing: list[str], seed: int) -> None:
    """Draw the head anew where the checkpoint brought one: it was learnt for other labels."""
    prefix = f"{model.base_model_prefix}."
    head = [name for name, _ in model.named_parameters() if not name.startswith(prefix)]
    if set(head) <= set(missing):
        return
    torch.manual_seed(seed)
    for name, module in model.named_children():
        if name != model.base_model_prefix:
            module.apply(model._init_weights)


def _cut_vocabulary(
    model: PreTrainedModel, tree: dict[str, Any], base: Base, texts: list[str]
) -> dict[str, Any]:
    if base.vocabulary is None:
        return tree
    if find_family(model).decodes:
        raise BaseModelError(
            f"base.vocabulary: got {base.vocabulary}, but {base.hub} has a decoder, so its pieces cannot be "
            "cut; leave the key out"
        )
    check_kind(tree, base)
    kept = choose_pieces(tree, texts, base.vocabulary, base.characters)
    keep_embeddings(model, kept)
    return renumber_pieces(tree, kept)


def _input_names(model: PreTrainedModel) -> list[str]:
    if _token_types(model.config) > 1:
        return ["input_ids", "token_type_ids", "attention_mask"]
    return ["input_ids", "attention_mask"]


def _token_types(config: PretrainedConfig) -> int:
    return int(config.to_dict().get("type_vocab_size", 1))

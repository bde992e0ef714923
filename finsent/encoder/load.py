"""The encoder that a release starts from: found, checked, and cut to the recipe's size."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any, cast

import torch
from huggingface_hub import snapshot_download
from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from finsent.encoder.base_model import SPECIAL_PIECES, BaseModel
from finsent.encoder.positions import check_bound, keep_positions
from finsent.encoder.pruning import keep_layers, prune_hidden, prune_intermediate
from finsent.encoder.text_rules import build_normalizer
from finsent.encoder.vocabulary import choose_pieces, keep_embeddings, renumber_pieces
from finsent.environment import go_online
from finsent.errors import BaseModelError
from finsent.recipe.encoder import Base
from finsent.recipe.recipe import Recipe
from finsent.release import CONFIG, TOKENIZER, WEIGHTS, sha256


def load_base(
    recipe: Recipe, texts: list[str], mirror: Path | None = None, teacher: Path | None = None
) -> BaseModel:
    """Load the recipe's encoder with a head for its labels; `texts` (training rows) decide which pieces stay.

    `teacher` is a release to take in the place of the base, made from the same base and with the same labels.
    Raises BaseModelError: weights are missing or altered, the tokenizer is of another kind than BERT's, or
    the recipe asks for layers, pieces or characters that this encoder does not have.
    """
    folder = teacher or _find(recipe.base, mirror)
    if teacher is None:
        _check_weights(folder, recipe.base)
    model = _load_classifier(folder, recipe)
    if recipe.base.positions is not None:
        keep_positions(model, recipe.base.positions)
    check_bound(model, recipe)
    if recipe.base.layers is not None:
        keep_layers(model, recipe.base.layers)
    tree = _cut_vocabulary(model, _prepare_tokenizer(folder, recipe), recipe.base, texts)
    base = BaseModel(model, json.dumps(tree, ensure_ascii=False), _input_names(model))
    if recipe.base.intermediate_size is not None:
        prune_intermediate(model, base.tokenizer(), texts, recipe.base.intermediate_size)
    if recipe.base.hidden_size is not None:
        prune_hidden(model, base.tokenizer(), texts, recipe.base.hidden_size)
    return base


def _find(base: Base, mirror: Path | None) -> Path:
    if base.path is not None:
        folder = Path(base.path)
    elif base.package is not None:
        spec = importlib.util.find_spec(base.package)
        if spec is None or spec.origin is None:
            raise BaseModelError(
                f"base.package: {base.package!r} is not installed; pip install -r requirements.txt"
            )
        folder = Path(spec.origin).parent / base.folder
    elif mirror is not None and (mirror / "models" / base.hub).is_dir():
        folder = mirror / "models" / base.hub
    else:
        folder = _download(base)
    if not (folder / CONFIG).is_file():
        raise BaseModelError(f"base: {folder} holds no {CONFIG}; it must be a folder saved by transformers")
    return folder


def _download(base: Base) -> Path:
    patterns = [CONFIG, WEIGHTS, TOKENIZER]
    try:
        return Path(snapshot_download(base.hub, revision=base.revision, allow_patterns=patterns))
    except Exception as error:  # the client raises a dozen unrelated types for "not reachable"
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BaseModelError(
            f"base.hub: cannot fetch {base.hub} ({reason}); {go_online()}, or set FINSENT_MIRROR to a folder "
            f"with models/{base.hub}/"
        ) from error


def _check_weights(folder: Path, base: Base) -> None:
    for name in (WEIGHTS, TOKENIZER):
        if not (folder / name).is_file():
            raise BaseModelError(f"base: {base.hub} has no {name}; choose an encoder that ships it")
    if base.sha256 is None:
        return
    found = sha256(folder / WEIGHTS)
    if found != base.sha256:
        raise BaseModelError(f"base.sha256: {WEIGHTS} has {found}, the recipe says {base.sha256}")


def _load_classifier(folder: Path, recipe: Recipe) -> PreTrainedModel:
    torch.manual_seed(recipe.training_seed)  # the head is drawn here
    model = AutoModelForSequenceClassification.from_pretrained(
        folder,
        num_labels=len(recipe.labels),
        id2label=dict(enumerate(recipe.labels)),
        label2id={label: index for index, label in enumerate(recipe.labels)},
        problem_type="single_label_classification",
        dtype=torch.float32,
        attn_implementation="eager",  # on short texts and CPUs faster to train than the fused one
    )
    model.config._name_or_path = recipe.base.hub  # never a path of this machine
    return cast("PreTrainedModel", model)


def _prepare_tokenizer(folder: Path, recipe: Recipe) -> dict[str, Any]:
    """Return tokenizer.json with the recipe's normalizer and without truncation or padding.

    Both would be obeyed by raw `tokenizers` and ignored by `pipeline`, so that the same text got two answers.
    """
    tree = cast("dict[str, Any]", json.loads((folder / TOKENIZER).read_text(encoding="utf-8")))
    kind, pieces = tree["model"]["type"], tree["model"].get("vocab", {})
    missing = [piece for piece in SPECIAL_PIECES if piece not in pieces]
    if kind != "WordPiece" or missing:
        lack = f" without {', '.join(missing)}" if missing else ""
        raise BaseModelError(
            f"base: {recipe.base.hub} has a {kind} tokenizer{lack}; allowed is WordPiece with "
            f"{', '.join(SPECIAL_PIECES)}, as BERT has it; choose such an encoder"
        )
    shell = Tokenizer.from_file(str(folder / TOKENIZER))
    shell.normalizer = build_normalizer(recipe.text)
    tree["normalizer"] = json.loads(shell.to_str())["normalizer"]
    tree["truncation"] = tree["padding"] = None
    return tree


def _cut_vocabulary(
    model: PreTrainedModel, tree: dict[str, Any], base: Base, texts: list[str]
) -> dict[str, Any]:
    if base.vocabulary is None:
        return tree
    kept = choose_pieces(tree, texts, base.vocabulary, base.characters)
    keep_embeddings(model, kept)
    return renumber_pieces(tree, kept)


def _input_names(model: PreTrainedModel) -> list[str]:
    if model.config.to_dict().get("type_vocab_size", 1) > 1:
        return ["input_ids", "token_type_ids", "attention_mask"]
    return ["input_ids", "attention_mask"]

"""The encoder that a release starts from: located, checked, cut to the recipe's layers and vocabulary.

Cutting happens on the files' own terms: `tokenizer.json` is edited as JSON, so ids, post-processor and
special tokens stay in step, and the embedding keeps just the rows of the pieces that stay.
"""

from __future__ import annotations

import importlib.util
import json
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import torch
from huggingface_hub import snapshot_download
from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification, PreTrainedModel, PreTrainedTokenizerFast

from finsent.encoder.pruning import keep_neurons, keep_positions, project_width
from finsent.encoder.text_rules import build_normalizer
from finsent.errors import BaseModelError
from finsent.recipe.recipe import Base, Recipe
from finsent.release import TOKENIZER, WEIGHTS, sha256

SPARE_POSITIONS = 12  # special tokens, and room for what a runtime may add
SPECIAL_PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclass(frozen=True)
class BaseModel:
    """A classifier with a fresh head, and the tokenizer.json that belongs to it."""

    model: PreTrainedModel
    tokenizer_json: str
    input_names: list[str]

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """Return a new tokenizer, as transformers will load it from the release.

        Its class is the plain one on purpose: with BertTokenizer, transformers 5 rebuilds it without the
        normalizer.
        """
        tokens = {f"{name[1:-1].lower()}_token": name for name in SPECIAL_PIECES}
        return PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer.from_str(self.tokenizer_json),
            model_max_length=self.model.config.max_position_embeddings,
            model_input_names=self.input_names,
            **tokens,
        )


def load_base(
    recipe: Recipe, texts: list[str], mirror: Path | None = None, start: Path | None = None
) -> BaseModel:
    """Load the recipe's encoder with a head for its labels; `texts` (training rows) decide which pieces stay.

    `start` is a release to take in the place of the base, made from the same base and with the same labels.
    Raises BaseModelError: weights are missing or altered, the tokenizer is of another kind than BERT's, or
    the recipe asks for layers, pieces or characters that this encoder does not have.
    """
    folder = start or _locate(recipe.base, mirror)
    if start is None:
        _check_weights(folder, recipe.base)
    model = _load_classifier(folder, recipe)
    if recipe.base.positions is not None:
        keep_positions(model, recipe.base.positions)
    _check_bound(model, recipe)
    if recipe.base.layers is not None:
        _keep_layers(model, recipe.base.layers)
    tree = _prepare_tokenizer(folder, recipe)
    if recipe.base.vocabulary is not None:
        kept = choose_pieces(tree, texts, recipe.base.vocabulary, recipe.base.characters)
        tree = renumber_pieces(tree, kept)
        _keep_embeddings(model, kept)
    uses_types = "type_vocab_size" in model.config.to_dict() and model.config.type_vocab_size > 1
    names = (
        ["input_ids", "token_type_ids", "attention_mask"] if uses_types else ["input_ids", "attention_mask"]
    )
    base = BaseModel(model, json.dumps(tree, ensure_ascii=False), names)
    if recipe.base.feed_forward is not None:
        keep_neurons(model, base.tokenizer(), texts, recipe.base.feed_forward)
    if recipe.base.width is not None:
        project_width(model, base.tokenizer(), texts, recipe.base.width)
    return base


def _locate(base: Base, mirror: Path | None) -> Path:
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
    if not (folder / "config.json").is_file():
        raise BaseModelError(
            f"base: {folder} holds no config.json; it must be a folder saved by transformers"
        )
    return folder


def _download(base: Base) -> Path:
    patterns = ["config.json", "model.safetensors", "tokenizer.json"]
    try:
        return Path(snapshot_download(base.hub, revision=base.revision, allow_patterns=patterns))
    except Exception as error:  # the client raises a dozen unrelated types for "not reachable"
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BaseModelError(
            f"base.hub: cannot fetch {base.hub} ({reason}); go online, or set FINSENT_MIRROR to a folder "
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
        raise BaseModelError(f"base.sha256: model.safetensors has {found}, the recipe says {base.sha256}")


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


def _check_bound(model: PreTrainedModel, recipe: Recipe) -> None:
    most = model.config.max_position_embeddings - SPARE_POSITIONS
    if recipe.text.max_characters > most:
        raise BaseModelError(
            f"text.max_characters: got {recipe.text.max_characters}, allowed are at most {most}: "
            f"{recipe.base.hub} has {most + SPARE_POSITIONS} positions"
        )


def _encoder_layers(model: PreTrainedModel) -> tuple[Any, str, str]:
    """Return the module that holds the list of layers, the list's name, and the config key of its length."""
    body = model.base_model
    for owner, key in (("encoder", "num_hidden_layers"), ("transformer", "n_layers")):
        module = getattr(body, owner, None)
        if isinstance(getattr(module, "layer", None), torch.nn.ModuleList):
            return module, "layer", key
    raise BaseModelError(f"base.layers: cannot choose layers of a {type(model).__name__}; leave the key out")


def _keep_layers(model: PreTrainedModel, layers: list[int]) -> None:
    owner, name, key = _encoder_layers(model)
    have = getattr(owner, name)
    if max(layers) >= len(have):
        raise BaseModelError(f"base.layers: got {layers}; {len(have)} layers are there, counted from 0")
    setattr(owner, name, torch.nn.ModuleList(have[index] for index in layers))
    setattr(model.config, key, len(layers))


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


def choose_pieces(
    tree: dict[str, Any], texts: list[str], size: int, characters: Literal["all", "latin"] = "all"
) -> list[int]:
    """Return the ids to keep, ascending: the most frequent pieces, and all that nothing can replace.

    Single characters and their ## forms always stay, and so does a piece with a character that has no such
    form, so nothing becomes [UNK] that was not before. With `latin` letters of other scripts go that stand in
    no text, which leaves room for words. `tree` is a WordPiece tokenizer. Raises BaseModelError when `size`
    has no room for what must stay.
    """
    vocabulary: dict[str, int] = tree["model"]["vocab"]
    tokenizer = Tokenizer.from_str(json.dumps(tree))
    counts: Counter[int] = Counter()
    for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False):
        counts.update(encoding.ids)
    must = {index for piece, index in vocabulary.items() if _cannot_be_spelled(piece, vocabulary)}
    foreign: set[int] = set()
    if characters == "latin":
        used = {letter for text in texts for letter in tokenizer.normalizer.normalize_str(text)}
        foreign = {
            index
            for piece, index in vocabulary.items()
            if _is_foreign(piece.removeprefix("##")) and piece.removeprefix("##") not in used
        }
        must -= foreign
    must |= {token["id"] for token in tree["added_tokens"]}
    if size < len(must):
        raise BaseModelError(f"base.vocabulary: got {size}, allowed from {len(must)}: characters must stay")
    others = set(vocabulary.values()) - must
    by_use = sorted(others, key=lambda index: (index in foreign, -counts[index], index))
    return sorted(must | set(by_use[: size - len(must)]))


def _cannot_be_spelled(piece: str, vocabulary: dict[str, int]) -> bool:
    letters = piece.removeprefix("##")
    if len(letters) == 1:
        return True
    first = piece[:3] if piece.startswith("##") else piece[0]
    return first not in vocabulary or any(f"##{letter}" not in vocabulary for letter in letters[1:])


def _is_foreign(letter: str) -> bool:
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


def _keep_embeddings(model: PreTrainedModel, kept: list[int]) -> None:
    old = cast("torch.nn.Embedding", model.get_input_embeddings())
    padding = kept.index(old.padding_idx) if old.padding_idx is not None else None
    new = torch.nn.Embedding(len(kept), old.embedding_dim, padding_idx=padding)
    new.weight.data = old.weight.data[kept].clone()
    model.set_input_embeddings(new)
    model.config.vocab_size = len(kept)
    model.config.pad_token_id = padding

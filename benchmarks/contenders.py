"""What the small T5 is compared with: the same with random weights or fewer tokens, and MiniLM of its size.

All are fitted on the same rows for as many passes.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from transformers import T5Config, T5ForConditionalGeneration

from finsent import REPOSITORY
from finsent.encoder.tokenizer_file import TOKENIZER_FILES
from finsent.recipe.file import load_recipe
from finsent.recipe.pretraining import Pretraining
from finsent.recipe.recipe import Recipe
from finsent.release import WEIGHTS, EncoderRun, sha256

RECIPES = REPOSITORY / "recipes"
LIKE_T5 = {"intermediate_size": 1280}  # MiniLM cut as finsent-tiny is, but for this: 7.2 million parameters
MINILM_RATE = 3e-4  # as finsent-tiny's, with AdamW


def encoder_of(recipe: Recipe) -> Pretraining:
    """Return the recipe of the encoder that a recipe starts from."""
    assert recipe.base.recipe is not None  # its file says so
    return recipe.base.recipe


def with_random_weights(recipe: Recipe, runs: Path) -> Recipe:
    """Return a recipe that starts from what the pretraining of its encoder, in `runs`, began with."""
    made = encoder_of(recipe)
    folder = EncoderRun(runs / f"{made.name}-untrained").encoder
    draw_weights(EncoderRun(runs / made.name).encoder, folder, made.seed)
    update = {"recipe": None, "path": str(folder.absolute()), "sha256": sha256(folder / WEIGHTS)}
    return _change(recipe, "untrained", base=recipe.base.model_copy(update=update))


def draw_weights(encoder: Path, folder: Path, seed: int) -> None:
    """Save an encoder of the same shape and tokenizer with random weights."""
    torch.manual_seed(seed)
    T5ForConditionalGeneration(T5Config.from_pretrained(encoder)).save_pretrained(folder)
    for name in TOKENIZER_FILES:
        if (encoder / name).is_file():
            shutil.copyfile(encoder / name, folder / name)


def with_tokens(recipe: Recipe, tokens: int) -> Recipe:
    """Return a recipe whose encoder learns from fewer tokens, in a pretraining of its own."""
    made = encoder_of(recipe)
    training = made.training.model_copy(update={"tokens": tokens})
    fewer = made.model_copy(update={"name": f"{made.name}-{tokens}", "training": training})
    return _change(recipe, str(tokens), base=recipe.base.model_copy(update={"recipe": fewer}))


def with_minilm(recipe: Recipe) -> Recipe:
    """Return a recipe that fits MiniLM, cut to the size of the T5."""
    tiny = load_recipe(RECIPES / "finsent-tiny.yaml")
    cut = tiny.base.model_copy(update=LIKE_T5)
    licence = load_recipe(RECIPES / "finsent-research.yaml").card.licence  # that of its rows
    card = recipe.card.model_copy(update={"licence": licence})
    training = recipe.training.model_copy(update={"learning_rate": MINILM_RATE, "optimizer": "adamw"})
    return _change(recipe, "minilm", base=cut, training=training, card=card)


def _change(recipe: Recipe, name: str, **changes: object) -> Recipe:
    told = {"name": f"{recipe.name}-{name}", "allow_weak": True}  # measured, never published
    return recipe.model_copy(update=told | changes)

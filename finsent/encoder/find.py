"""Finding an encoder: in a Python package, in a folder, in the mirror or on the Hub; its weights checked."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from huggingface_hub import snapshot_download

from finsent.encoder.tokenizer_file import TOKENIZER_FILES
from finsent.environment import go_online
from finsent.errors import BaseModelError, first_line
from finsent.recipe.places import find_folders
from finsent.recipe.recipe import Recipe
from finsent.recipe.weights import Weights
from finsent.release import CONFIG, WEIGHTS, EncoderRun, sha256

PICKLED_WEIGHTS = "pytorch_model.bin"  # read as weights alone, never as code


def find_base(recipe: Recipe, mirror: Path | None) -> Path:
    """Return the folder of a recipe's encoder, fetched where it is nowhere on this machine.

    `mirror` is searched before the Hub. Raises BaseModelError: nothing is there, or the weights are not
    those that the recipe names.
    """
    if recipe.base.recipe is None:
        return find_weights(recipe.base, recipe.home, mirror)
    folder = EncoderRun(recipe.runs / recipe.base.recipe.name).encoder
    if not (folder / CONFIG).is_file():
        raise BaseModelError(f"base.recipe: {folder} does not exist; pretrain.py and train.py make it")
    return folder


def find_weights(weights: Weights, home: Path | None, mirror: Path | None) -> Path:
    """Return the folder of weights that a recipe in `home` names; errors as above."""
    folder = _locate(weights, home, mirror)
    if not (folder / CONFIG).is_file():
        raise BaseModelError(f"base: {folder} has no {CONFIG}; give a folder that was saved by transformers")
    file = _find_file(folder, weights)
    if weights.sha256 is not None and (found := sha256(file)) != weights.sha256:
        raise BaseModelError(f"base.sha256: {file.name} has {found}, but the recipe says {weights.sha256}")
    return folder


def _locate(base: Weights, home: Path | None, mirror: Path | None) -> Path:
    if base.path is not None:
        return find_folders(base.path, home)[0]
    if base.package is not None:
        return _find_package(base.package) / base.folder
    if mirror is not None and (mirror / "models" / base.hub).is_dir():
        return mirror / "models" / base.hub
    return _download(base)


def _find_package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise BaseModelError(f"base.package: {name!r} is not installed; pip install -r requirements.txt")
    return Path(spec.origin).parent


def _find_file(folder: Path, base: Weights) -> Path:
    """Return the weights that transformers will read: safetensors where both are there."""
    for name in (WEIGHTS, PICKLED_WEIGHTS):
        if (folder / name).is_file():
            return folder / name
    raise BaseModelError(
        f"base: {base.hub} has neither {WEIGHTS} nor {PICKLED_WEIGHTS}; choose an encoder that has one"
    )


def _download(base: Weights) -> Path:
    """Return a snapshot from the Hub; pickled weights are fetched only where there are no others."""
    folder = _fetch(base, [CONFIG, WEIGHTS, *TOKENIZER_FILES])
    return folder if (folder / WEIGHTS).is_file() else _fetch(base, [PICKLED_WEIGHTS])


def _fetch(base: Weights, files: list[str]) -> Path:
    try:
        return Path(snapshot_download(base.hub, revision=base.revision, allow_patterns=files))
    except Exception as error:  # the client raises a dozen unrelated types for "not reachable"
        raise BaseModelError(
            f"base.hub: cannot fetch {base.hub} ({first_line(error)}); {go_online()}, or set "
            f"FINSENT_MIRROR to a folder with models/{base.hub}/"
        ) from error

"""Finding an encoder: in a Python package, in a folder, in the mirror or on the Hub; its weights checked."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from huggingface_hub import snapshot_download

from finsent.encoder.tokenizer_file import TOKENIZER_FILES
from finsent.environment import go_online
from finsent.errors import BaseModelError, first_line
from finsent.recipe.encoder import Base
from finsent.recipe.places import find_folders
from finsent.recipe.recipe import Recipe
from finsent.release import CONFIG, WEIGHTS, sha256

PICKLED_WEIGHTS = "pytorch_model.bin"  # read as weights alone, never as code


def find_base(recipe: Recipe, mirror: Path | None) -> Path:
    """Return the folder of a recipe's encoder, fetched where it is nowhere on this machine.

    `mirror` is searched before the Hub. Raises BaseModelError: nothing is there, or the weights are not
    those that the recipe names.
    """
    base = recipe.base
    folder = _locate(base, recipe.home, mirror)
    if not (folder / CONFIG).is_file():
        raise BaseModelError(f"base: {folder} has no {CONFIG}; give a folder that was saved by transformers")
    weights = _find_weights(folder, base)
    if base.sha256 is not None and (found := sha256(weights)) != base.sha256:
        raise BaseModelError(f"base.sha256: {weights.name} has {found}, but the recipe says {base.sha256}")
    return folder


def _locate(base: Base, home: Path | None, mirror: Path | None) -> Path:
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


def _find_weights(folder: Path, base: Base) -> Path:
    """Return the weights that transformers will read: safetensors where both are there."""
    for name in (WEIGHTS, PICKLED_WEIGHTS):
        if (folder / name).is_file():
            return folder / name
    raise BaseModelError(
        f"base: {base.hub} has neither {WEIGHTS} nor {PICKLED_WEIGHTS}; choose an encoder that has one"
    )


def _download(base: Base) -> Path:
    """Return a snapshot from the Hub; pickled weights are fetched only where there are no others."""
    folder = _fetch(base, [CONFIG, WEIGHTS, *TOKENIZER_FILES])
    return folder if (folder / WEIGHTS).is_file() else _fetch(base, [PICKLED_WEIGHTS])


def _fetch(base: Base, files: list[str]) -> Path:
    try:
        return Path(snapshot_download(base.hub, revision=base.revision, allow_patterns=files))
    except Exception as error:  # the client raises a dozen unrelated types for "not reachable"
        raise BaseModelError(
            f"base.hub: cannot fetch {base.hub} ({first_line(error)}); {go_online()}, or set "
            f"FINSENT_MIRROR to a folder with models/{base.hub}/"
        ) from error

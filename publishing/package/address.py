"""Where a release goes: the ids of its model and its Space, and card and recipe that name them."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from finsent.recipe.file import address_recipe, read_released_recipe
from finsent.release import CARD, RECIPE, Run
from publishing.errors import PublishError
from publishing.package.manifest import RepoType


def choose_model_id(folder: Path, repo_type: RepoType, repo_id: str | None) -> str:
    """Return the repository: as given, else the recipe's hub.model. PublishError for a data set."""
    if repo_id:
        return repo_id
    if repo_type == "dataset":
        raise PublishError("--repo-id: a data set has no recipe to take it from; give owner/name")
    release = Run(folder).release
    if not release.is_dir():
        raise PublishError(f"{folder}: is not a run, because it has no release/; build one with train.py")
    return read_released_recipe(release / RECIPE).hub.model


def address_release(release: Path, repo_id: str, space_id: str | None, outbox: Path) -> Path:
    """Return a folder whose card and recipe name the repository that it goes to.

    It is the release itself where its recipe says so already. Otherwise the big files are linked, not copied,
    and the ids in README.md and recipe.yaml are replaced; the release stays as it is.
    """
    hub = read_released_recipe(release / RECIPE).hub
    space_id = space_id or hub.space
    if (hub.model, hub.space) == (repo_id, space_id):
        return release
    shutil.rmtree(outbox, ignore_errors=True)
    for path in sorted(release.rglob("*")):
        if path.is_file() and path.name not in (CARD, RECIPE):
            _link(path, outbox / path.relative_to(release))
    text = (release / CARD).read_text(encoding="utf-8")
    card = _replace_ids(text, {hub.model: repo_id, hub.space: space_id})
    (outbox / CARD).write_text(card, encoding="utf-8", newline="\n")
    recipe = address_recipe(release / RECIPE, repo_id, space_id)
    (outbox / RECIPE).write_text(recipe, encoding="utf-8", newline="\n")
    return outbox


def _replace_ids(text: str, ids: dict[str, str]) -> str:
    """Replace whole ids in one pass, so that neither a longer name nor a replaced one is met again."""
    names = "|".join(re.escape(name) for name in sorted(ids, key=len, reverse=True))
    return re.sub(rf"(?<![\w.-])({names})(?![\w-])", lambda match: ids[match[1]], text)


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)

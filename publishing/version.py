"""What the tag of a version stands for: words may change under it, anything else needs a new version.

Words are the card, its figures, which are drawn from metrics.json, and the sections `card` and `hub` of the
recipe, with those of its teachers. They change when a sentence is mended, a Space is added, or a repository
is renamed.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from finsent.errors import RecipeError
from finsent.recipe.file import parse_released_recipe
from finsent.release import CARD, RECIPE
from publishing.errors import PublishError
from publishing.hub.remote import Reader, Remote, Target
from publishing.package.changes import compare_files
from publishing.package.manifest import Manifest

WORDS = (CARD, "figures/*.png")
WORDING = ("card", "hub")  # sections of a recipe


def check_version(tag: str, manifest: Manifest, remote: Remote, reader: Reader) -> str:
    """Return that a tag stays where it is; PublishError if what it stands for has changed since."""
    commit = remote.tags[tag]
    target = Target(remote.target.repo_id, remote.target.repo_type, commit)
    tagged = remote if commit == remote.head else reader.read(target)
    if changed := find_changes(manifest, tagged, reader):
        raise PublishError(
            f"{remote.target}: {tag} is published already, at {commit[:8]}, but files differ "
            f"({', '.join(changed)}); raise `version` in the recipe, or publish without a tag with --no-tag"
        )
    return f"{tag} stays on {commit[:8]}, where the weights are: only words change"


def find_changes(manifest: Manifest, tagged: Remote, reader: Reader) -> list[str]:
    """Return the paths, other than words, that a release has otherwise than the commit under its tag."""
    changes = compare_files(manifest, tagged, kept=(CARD,))
    paths = [one.path for one in changes if one.has_effect]
    return [path for path in paths if not _is_wording(path, manifest, tagged, reader)]


def _is_wording(path: str, manifest: Manifest, tagged: Remote, reader: Reader) -> bool:
    if path == RECIPE and path in manifest.files and path in tagged.files:
        there = reader.content(tagged.target, path, str(tagged.head)) or b""
        return is_made_alike(manifest.content(path), there)
    return any(fnmatchcase(path, words) for words in WORDS)


def is_made_alike(one: bytes, other: bytes) -> bool:
    """Tell whether two recipe.yaml say the same of how a release is made, whatever they say about it."""
    try:
        recipes = [parse_released_recipe(content, Path(RECIPE)) for content in (one, other)]
    except RecipeError:  # of a version that is not known here
        return False
    first, second = (_without_wording(recipe.model_dump(mode="json")) for recipe in recipes)
    return first == second


def _without_wording(tree: dict[str, Any]) -> dict[str, Any]:
    left = {key: value for key, value in tree.items() if key not in WORDING}
    plan = left.get("distillation")
    if plan:
        left["distillation"] = plan | {"teachers": [_without_wording(one) for one in plan["teachers"]]}
    return left

"""Where the folders that a recipe names lie: beside the recipe file, else in this repository.

A path is always kept relative. It is read by others once the release is published, and must not tell where
things lie on this machine; so an absolute one becomes relative to the recipe, and is refused where the two
have no folder in common.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from finsent import REPOSITORY
from finsent.errors import RecipeError

FOLDERS = (
    "data.sources.*.path",
    "data.unlabelled.*.path",
    "base.path",
    "evaluation.suites.*",
    "distillation.answers",
)
INSIDE = ("data.sources.*.files.*.*", "data.sources.*.files.*", "data.unlabelled.*.files.*", "base.folder")
RECIPES = ("distillation.teachers.*", "base.recipe", "data.protect.recipes.*")  # inside a recipe
ADDRESSES = ("data.sources.*.url", "data.unlabelled.*.url")

Change = Callable[[str, Any], Any]  # of where a value stands, and the value


def find_folders(path: str, home: Path | None) -> list[Path]:
    """Return where the folder is that a recipe in `home` names; all places where it is not, if nowhere."""
    places = list(dict.fromkeys(root / path for root in (home, REPOSITORY) if root is not None))
    return next(([place] for place in places if place.is_dir()), places)


def with_places_from(tree: dict[str, Any], folder: Path, home: Path) -> dict[str, Any]:
    """Return the tree of a recipe in `folder` with all its folders as seen from `home`.

    What does not lie beside the recipe stays as it is written. RecipeError: a place on this machine is told
    in a way that others would read.
    """
    moving = _Moving(folder, home)
    changes: dict[str, Change] = dict.fromkeys(FOLDERS, moving.move)
    changes |= dict.fromkeys(INSIDE, _check_inside) | dict.fromkeys(ADDRESSES, _check_address)
    changes |= dict.fromkeys(RECIPES, moving.move_all)
    moved: Any = tree
    for where, change in changes.items():
        moved = _change(moved, where.split("."), change)
    return dict(moved)


def _change(value: Any, keys: list[str], change: Change, above: str = "") -> Any:  # noqa: ANN401  (whatever is in the file)
    """Return a value with what stands below it at `keys` changed; `*` is every item of a list or mapping."""
    if not keys:
        return change(above, value)
    first, *rest = keys
    if first == "*" and isinstance(value, list):
        return [_change(one, rest, change, _join(above, _name(one, at))) for at, one in enumerate(value)]
    if not isinstance(value, dict):
        return value
    names = list(value) if first == "*" else [first] if first in value else []
    return value | {name: _change(value[name], rest, change, _join(above, name)) for name in names}


def _join(above: str, key: object) -> str:
    return f"{above}.{key}" if above else str(key)


def _name(item: Any, at: int) -> object:  # noqa: ANN401  (as above)
    return item.get("name", at) if isinstance(item, dict) else at


@dataclass(frozen=True)
class _Moving:
    """From the folder of one recipe file to that of another."""

    folder: Path
    home: Path

    def move_all(self, _: str, tree: Any) -> Any:  # noqa: ANN401  (as above)
        return with_places_from(tree, self.folder, self.home) if isinstance(tree, dict) else tree

    def move(self, where: str, path: Any) -> Any:  # noqa: ANN401  (as above)
        if not isinstance(path, str):
            return path
        if Path(path).is_absolute():
            _check_common(where, Path(path), self.home)
        elif self.folder.resolve() == self.home.resolve() or not (self.folder / path).exists():
            return path
        return _relative(self.folder / path, self.home)


def _relative(path: Path, home: Path) -> str:
    return PurePath(os.path.relpath(path.resolve(), home.resolve())).as_posix()


def _check_common(where: str, path: Path, home: Path) -> None:
    if os.path.commonpath([path.resolve(), home.resolve()]) == path.anchor:
        seen = _relative(path, home)
        raise RecipeError(
            f"{where}: got {str(path)!r}, which would be published with the release; put it next to the "
            f"recipe or into the repository, or write {seen!r} if it may be read"
        )


def _check_inside(where: str, name: Any) -> Any:  # noqa: ANN401  (as above)
    if isinstance(name, str) and Path(name).is_absolute():
        raise RecipeError(
            f"{where}: got {name!r}, which would be published with the release; give names inside the "
            "folder, and the folder by `path`"
        )
    return name


def _check_address(where: str, address: Any) -> Any:  # noqa: ANN401  (as above)
    if isinstance(address, str) and (Path(address).is_absolute() or address.lower().startswith("file:")):
        raise RecipeError(
            f"{where}: got {address!r}, which is on this machine and would be published with the release; "
            "give the folder in `path`"
        )
    return address

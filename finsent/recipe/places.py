"""Where the folders of a recipe's sources lie: beside the recipe file, else in this repository.

A path is always kept relative. It is read by others once the release is published, and must not tell where
things lie on this machine; so an absolute one becomes relative to the recipe, and is refused where the two
have no folder in common.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import Any

from finsent.errors import RecipeError


def with_places_from(tree: dict[str, Any], folder: Path, home: Path) -> dict[str, Any]:
    """Return the tree of a recipe in `folder` with the paths of its sources as seen from `home`.

    What does not lie beside the recipe stays as it is written. RecipeError: an absolute path is refused.
    """
    data = tree.get("data")
    moved = dict(tree)
    if isinstance(data, dict):
        moved["data"] = {key: _move_all(key, value, folder, home) for key, value in data.items()}
    plan = tree.get("distillation")
    if isinstance(plan, dict) and isinstance(plan.get("teachers"), list):
        teachers = [
            with_places_from(one, folder, home) if isinstance(one, dict) else one for one in plan["teachers"]
        ]
        moved["distillation"] = plan | {"teachers": teachers}
    return moved


def _move_all(key: str, sources: Any, folder: Path, home: Path) -> Any:  # noqa: ANN401  (whatever stands in the file)
    if key not in ("sources", "unlabelled") or not isinstance(sources, list):
        return sources
    return [_move(source, folder, home) if isinstance(source, dict) else source for source in sources]


def _move(source: dict[str, Any], folder: Path, home: Path) -> dict[str, Any]:
    path = source.get("path")
    if not isinstance(path, str):
        return source
    if Path(path).is_absolute():
        _check_common(source, Path(path), home)
    elif folder.resolve() == home.resolve() or not (folder / path).exists():
        return source
    return source | {"path": _relative(folder / path, home)}


def _relative(path: Path, home: Path) -> str:
    return PurePath(os.path.relpath(path.resolve(), home.resolve())).as_posix()


def _check_common(source: dict[str, Any], path: Path, home: Path) -> None:
    if os.path.commonpath([path.resolve(), home.resolve()]) == path.anchor:
        seen = _relative(path, home)
        raise RecipeError(
            f"data.{source.get('name')}.path: got {str(path)!r}, which would be published with the release; "
            f"put the data beside the recipe or into the repository, or write {seen!r} if it may be read"
        )

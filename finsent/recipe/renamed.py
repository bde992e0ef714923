"""Recipe keys that had another name once.

A recipe file has to use the names of today. The recipes inside releases are read with either, and a
fingerprint is made of the first names, so that it outlives a renaming.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

RENAMED = {  # path of a key, by its first name -> its name today
    "data.sources.shares": "label_probabilities",
    "base.feed_forward": "intermediate_size",
    "base.width": "hidden_size",
    "training.freeze_pieces": "freeze_embeddings",
    "distillation.variants": "augmentations",
    "distillation.start": "initialize_from",
    "export.variants.budget.flips": "flip_share",
}
TEACHERS = "distillation.teachers"  # recipes inside a recipe


def _sibling(path: str, name: str) -> str:
    return f"{path.rpartition('.')[0]}.{name}"


FIRST = {_sibling(path, name): path.rpartition(".")[2] for path, name in RENAMED.items()}


def with_new_names(tree: Any) -> Any:  # noqa: ANN401  (whatever is in the file)
    """Return the tree of a recipe with today's names in the place of first ones."""
    return _rename(tree, RENAMED)


def with_first_names(tree: Any) -> Any:  # noqa: ANN401  (as above)
    """Return the tree of a recipe with every key under its first name, keys in the same order."""
    return _rename(tree, FIRST)


def find_old_keys(tree: Any) -> dict[str, str]:  # noqa: ANN401  (as above)
    """Return the paths of keys under first names, each with its path today."""
    return {path: _sibling(path, RENAMED[path]) for path in _key_paths(tree) if path in RENAMED}


def _rename(tree: Any, names: Mapping[str, str], path: str = "") -> Any:  # noqa: ANN401  (as above)
    if isinstance(tree, list):
        return [_rename(one, names, path) for one in tree]
    if not isinstance(tree, dict):
        return tree
    paths = {key: _below(path, key) for key in tree}
    return {names.get(paths[key], key): _rename(value, names, paths[key]) for key, value in tree.items()}


def _key_paths(tree: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401  (as above)
    for one in tree if isinstance(tree, list) else ():
        yield from _key_paths(one, path)
    for key, value in tree.items() if isinstance(tree, dict) else ():
        yield _below(path, key)
        yield from _key_paths(value, _below(path, key))


def _below(path: str, key: object) -> str:
    """Return the path of a key; a list adds nothing to it, and in a teacher it begins anew."""
    return f"{path}.{key}" if path not in ("", TEACHERS) else str(key)

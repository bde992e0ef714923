"""Where data lie and where the recipe goes: local files or a Hub data set, never an absolute path."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from huggingface_hub import HfApi, hf_hub_download

from finsent.data.sources.formats import FORMATS, is_table
from finsent.data.sources.packed import PACKED
from finsent.environment import go_online
from finsent.errors import DataError, first_line
from finsent.hub_id import check_hub_id
from finsent.recipe.data import SplitName

RECIPES = Path("recipes")
_SPLITS: dict[str, SplitName] = {
    "train": "train", "training": "train", "validation": "validation", "valid": "validation",
    "val": "validation", "dev": "validation", "eval": "validation", "test": "test", "testing": "test",
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Files by split, and the keys of a source that name them. `recipe` is the file that is to be written."""

    name: str
    title: str
    recipe: Path
    files: dict[SplitName, list[Path]]
    keys: dict[str, Any]
    licence: str | None = None

    @property
    def source_name(self) -> str:
        """The name of the source in figures and tables."""
        name = self.name.replace("-", "_")
        return name if name[0].isalpha() else f"data_{name}"

    @property
    def all_files(self) -> list[Path]:
        """The files of all splits."""
        return [path for paths in self.files.values() for path in paths]

    def lacks(self, split: SplitName) -> bool:
        """Whether rows for a split have to be drawn from those for training."""
        return split not in self.files


def find_place(data: list[str], out: Path | None, mirror: Path | None) -> Place:
    """Return where data lie that are named by paths, or by the id of one Hub data set.

    DataError: neither a file nor a data set is called so, or none of its files is a table.
    """
    files = [Path(one) for one in data]
    if all(path.is_file() for path in files):
        return _local(files, out)
    if len(data) == 1 and not files[0].exists() and _is_hub_id(data[0]):
        return _hub(data[0], out, mirror)
    missing = next((path for path in files if not path.is_file()), files[0])
    what = "is a folder; give its files" if missing.is_dir() else "no such file"
    raise DataError(f"{missing}: {what}, or one data set of the Hub as owner/name")


def _is_hub_id(text: str) -> bool:
    try:
        return bool(check_hub_id(text)) and not text.lower().endswith((*FORMATS, *PACKED))
    except ValueError:
        return False


def _local(files: list[Path], out: Path | None) -> Place:
    for path in files:
        _check_ending(path.name)
    first = files[0]
    splits = {path: find_split(path.name) for path in files}
    stem = first.name.partition(".")[0]
    own = stem if splits[first] is None else first.absolute().parent.name
    name = make_name(own)
    recipe = out or RECIPES / f"{name}.yaml"
    folder = Path(os.path.commonpath([path.absolute().parent for path in files]))
    start = recipe.absolute().parent
    where = PurePosixPath(Path(os.path.relpath(folder.resolve(), start.resolve())).as_posix())
    by_split = _by_split({path: split or "train" for path, split in splits.items()})
    named = {
        split: [path.absolute().relative_to(folder).as_posix() for path in paths]
        for split, paths in by_split.items()
    }
    return Place(name, own, recipe, by_split, {"path": str(where), "files": named})


def _hub(hub_id: str, out: Path | None, mirror: Path | None) -> Place:
    folder = mirror / "datasets" / hub_id if mirror else None
    if folder is not None and folder.is_dir():
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        paths = {name: folder / name for name in names if is_table(name)}
        card = folder / "README.md"
    else:
        names = _ask_hub(hub_id)
        paths = {name: _download(hub_id, name) for name in names if is_table(name)}
        card = _download(hub_id, "README.md") if "README.md" in names else Path()
    if not paths:
        told = ", ".join(names[:10]) or "none"
        raise DataError(
            f"{hub_id}: none of its files is a table (it has {told}); tables are {', '.join(FORMATS)}"
        )
    by_split = _by_split({path: find_split(name) or "train" for name, path in paths.items()})
    named = {path: name for name, path in paths.items()}
    keys = {
        "hub": hub_id,
        "files": {split: [named[one] for one in found] for split, found in by_split.items()},
    }
    name = make_name(hub_id.partition("/")[2])
    return Place(name, hub_id, out or RECIPES / f"{name}.yaml", by_split, keys, _read_licence(card))


def _ask_hub(hub_id: str) -> list[str]:
    try:
        return sorted(HfApi().list_repo_files(hub_id, repo_type="dataset"))
    except Exception as error:  # the client raises a dozen unrelated types for "not reachable"
        raise DataError(
            f"{hub_id}: no such file, and no such data set ({first_line(error)}); {go_online()}"
        ) from error


def _download(hub_id: str, name: str) -> Path:
    try:
        return Path(hf_hub_download(hub_id, name, repo_type="dataset"))
    except Exception as error:  # as above
        raise DataError(f"{hub_id}: {name} cannot be fetched ({first_line(error)})") from error


def _read_licence(card: Path) -> str | None:
    """Return the licence in the metadata of a data card; None where it names none, or several."""
    if not card.is_file():
        return None
    text = card.read_text(encoding="utf-8", errors="replace")
    try:
        metadata = yaml.safe_load(text.split("---")[1]) if text.startswith("---") else None
    except (yaml.YAMLError, IndexError):
        return None
    licence = metadata.get("license") if isinstance(metadata, dict) else None
    if isinstance(licence, list) and len(licence) == 1:
        licence = licence[0]
    return licence if isinstance(licence, str) else None


def find_split(name: str) -> SplitName | None:
    """Return the split that a file's name tells, such as `data/dev-0.parquet`; None if it tells none."""
    words = re.findall(r"[a-z]+", PurePosixPath(name).name.lower())
    return next((_SPLITS[word] for word in words if word in _SPLITS), None)


def _by_split(splits: dict[Path, SplitName]) -> dict[SplitName, list[Path]]:
    order: tuple[SplitName, ...] = ("train", "validation", "test")
    found = {split: [path for path, own in splits.items() if own == split] for split in order}
    if not found["train"]:
        path, own = next(iter(splits.items()))
        raise DataError(f"{path.name}: is a {own} file by its name; give a file to train on, too")
    return {split: paths for split, paths in found.items() if paths}


def _check_ending(name: str) -> None:
    if not is_table(name) and not name.lower().endswith(".zip"):
        raise DataError(
            f"{name}: is not a table; allowed are {', '.join(FORMATS)}, also as {', '.join(PACKED)}"
        )


def make_name(text: str) -> str:
    """Return a name that a recipe may have."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "mine"

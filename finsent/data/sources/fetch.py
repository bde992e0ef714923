"""Finding the files of a source: beside the recipe, in the repository or the mirror, on the Hub, at a URL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from datasets import DownloadManager
from huggingface_hub import HfApi, hf_hub_download

from finsent.environment import go_online
from finsent.errors import DataError, first_line
from finsent.recipe.data import Origin
from finsent.recipe.places import find_folders


@dataclass(frozen=True)
class Places:
    """Where sources are looked for: `mirror` is searched before the Hub, `home` is the folder of the recipe.

    None if there is none.
    """

    mirror: Path | None = None
    home: Path | None = None

    def folders(self, source: Origin) -> list[Path]:
        """Return the folders on this machine in which files of a source may lie, first ones first."""
        if source.path is not None:
            return find_folders(source.path, self.home)
        assert source.hub is not None  # the recipe's validator holds this
        return [] if self.mirror is None else [self.mirror / "datasets" / source.hub]


def fetch_files(source: Origin, name: str, places: Places) -> list[Path]:
    """Return where the files of that name, or of that pattern, lie; DataError if there are none."""
    folders = places.folders(source)
    for folder in folders:
        if found := _find(folder, name):
            return found
    if source.path is not None:
        raise DataError(
            f"{source.name}: {' and '.join(str(folder / name) for folder in folders)} does not exist"
        )
    try:
        return [_download(source, one) for one in _list_files(source, name)]
    except DataError:
        raise
    except Exception as error:  # the clients raise a dozen unrelated types for "not reachable"
        raise DataError(tell_unreachable(source, name, error)) from error


def _find(folder: Path, name: str) -> list[Path]:
    if (folder / name).is_file():
        return [folder / name]
    if not _is_pattern(name):
        return []
    return sorted(path for path in folder.glob(name) if path.is_file())


def _is_pattern(name: str) -> bool:
    return any(sign in name for sign in "*?[")


def _list_files(source: Origin, name: str) -> Iterable[str]:
    if source.url is not None or not _is_pattern(name):
        return [name]
    names = HfApi().list_repo_files(str(source.hub), repo_type="dataset", revision=source.revision)
    found = sorted(one for one in names if fnmatchcase(one, name))
    if not found:
        raise DataError(f"{source.name}: no file of {source.hub} matches {name!r}; it has {names[:10]}")
    return found


def _download(source: Origin, name: str) -> Path:
    if source.url is not None:
        return Path(DownloadManager().download(f"{source.url.rstrip('/')}/{name}"))
    return Path(hf_hub_download(str(source.hub), name, repo_type="dataset", revision=source.revision))


def tell_unreachable(source: Origin, name: str, error: Exception) -> str:
    """Return why something of the Hub could not be had, and what to do."""
    return (
        f"{source.name}: cannot fetch {name} of {source.url or source.hub} ({first_line(error)}); "
        f"{go_online()}, log in, or set FINSENT_MIRROR to a folder with datasets/<namespace>/<name>/"
    )

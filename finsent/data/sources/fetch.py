"""Finding a file of a source: in this repository, in the mirror, on the Hub or at an address."""

from __future__ import annotations

from pathlib import Path

from datasets import DownloadManager
from huggingface_hub import hf_hub_download

from finsent import REPOSITORY
from finsent.environment import go_online
from finsent.errors import DataError
from finsent.recipe.data import Source


def fetch_file(source: Source, name: str, mirror: Path | None) -> Path:
    """Return where a file of a source lies on this machine; DataError when it cannot be had."""
    if source.path is not None:
        path = REPOSITORY / source.path / name
        if not path.is_file():
            raise DataError(f"{source.name}: {path} does not exist")
        return path
    assert source.hub is not None  # the recipe's validator holds this
    if mirror is not None and (mirror / "datasets" / source.hub / name).is_file():
        return mirror / "datasets" / source.hub / name
    try:
        if source.url is not None:
            return Path(DownloadManager().download(f"{source.url.rstrip('/')}/{name}"))
        return Path(hf_hub_download(source.hub, name, repo_type="dataset", revision=source.revision))
    except Exception as error:  # the clients raise a dozen unrelated types for "not reachable"
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(
            f"{source.name}: cannot fetch {name} of {source.url or source.hub} ({reason}); {go_online()}, "
            "log in, or set FINSENT_MIRROR to a folder with datasets/<namespace>/<name>/"
        ) from error

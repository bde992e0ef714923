"""The files of a pushed model that inference loads, and what must be true of them before it does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local_hub.catalogue import Shelf
from local_hub.errors import HubError, bad_request
from local_hub.exports import write_entry

_SUFFIXES = (".json", ".safetensors", ".txt", ".model")  # configuration, weights, vocabularies, SentencePiece
_INDEX = ".safetensors.index.json"
_MAX_JSON, _MAX_LAYERS, _MAX_LABELS = 32 << 20, 1_000, 100_000


def export_model(shelf: Shelf, oid: str, folder: Path) -> None:
    """Write what a classifier is loaded from into the folder; 400 if it must not be loaded.

    Nothing else lies there, so no pickle and no script can be reached, whatever names it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for entry in shelf.repository.files(oid):
        if _is_loaded(entry.path):
            write_entry(shelf, entry, folder / entry.path)
    for needed in ("config.json", "*.safetensors"):
        if not any(folder.glob(needed)):
            raise bad_request(f"it has no {needed} at its root")
    for index in folder.glob(f"*{_INDEX}"):
        _check_index(index)
    _check_config(_read(folder / "config.json"))


def _is_loaded(path: str) -> bool:
    other_index = path.endswith(".index.json") and not path.endswith(_INDEX)
    adapter = path.startswith("adapter_")  # it would load another model first
    return "/" not in path and path.endswith(_SUFFIXES) and not other_index and not adapter


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_JSON:
            raise ValueError(f"it is over {_MAX_JSON} bytes")
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise bad_request(f"{path.name} cannot be read: {str(error)[:200]}") from None
    if not isinstance(value, dict):
        raise bad_request(f"{path.name} must contain a JSON object.")
    return value


def _check_index(index: Path) -> None:
    """Every file that an index names must be safetensors and lie beside it."""
    known = _read(index).get("weight_map")
    named = list(known.values()) if isinstance(known, dict) else [known]
    for name in named:
        plain = isinstance(name, str) and name.endswith(".safetensors") and Path(name).name == name
        if not plain or not (index.parent / str(name)).is_file():
            raise bad_request(
                f"{index.name} names {str(name)[:100]!r}; only .safetensors files beside it are loaded."
            )


def _numbers(value: object, key: str = "") -> Iterator[tuple[str, int]]:
    """Every whole number below a value with the key that it stands under."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _numbers(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(inner, key)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield key, value


def _check_config(config: dict[str, Any]) -> None:
    """Refuse what would be counted up to before the first byte is allocated; sizes are compared later."""
    weights = config.get("transformers_weights")
    if weights is not None and not str(weights).endswith(".safetensors"):
        raise bad_request(
            f"config.json names the weights {str(weights)[:100]!r}; only .safetensors is loaded."
        )
    for key, number in _numbers(config):
        layers = any(word in key.lower() for word in ("layer", "depth", "block", "num_stages"))
        most = _MAX_LABELS if key == "num_labels" else _MAX_LAYERS if layers else None
        if most is not None and number > most:
            raise HubError(400, f"config.json: {key[:60]} is {number}; this Hub loads at most {most}.")

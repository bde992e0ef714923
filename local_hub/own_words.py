"""What a repository's own files say of it: card, configuration, header of the weights, tags."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local_hub.catalogue import Shelf
from local_hub.contents import count_parameters, read_card, read_config
from local_hub.errors import HubError
from local_hub.trees import Entry

_FRAMEWORK_SUFFIXES = {
    ".safetensors": "safetensors",
    ".onnx": "onnx",
    ".bin": "pytorch",
    ".tflite": "tf-lite",
}
_NO_COMMIT = "0" * 40


def head_of(shelf: Shelf) -> str:
    """The commit of main, an id that no commit has where that is lost: a list goes on without it."""
    try:
        return shelf.repository.resolve("main")
    except HubError:
        return _NO_COMMIT


def metadata_of(shelf: Shelf, oid: str) -> dict[str, Any]:
    """The metadata of the README at a commit, empty without one."""
    return _read(shelf, oid, "README.md", read_card)[0]


def visible_config(shelf: Shelf, oid: str, *, may_read: bool) -> dict[str, Any]:
    """config.json for somebody who may or may not read the files; of a card alone less can be told."""
    return config_of(shelf, oid) if may_read else {}


def config_of(shelf: Shelf, oid: str) -> dict[str, Any]:
    """config.json at a commit, empty if there is none or it is broken."""
    return _read(shelf, oid, "config.json", read_config)[0]


def _read(
    shelf: Shelf, oid: str, path: str, reader: Callable[[bytes], dict[str, Any]]
) -> tuple[dict[str, Any], str | None]:
    """What a regular file says, empty if it is missing or broken, and what is wrong with it."""
    try:
        content = shelf.repository.read(oid, path)
        return (reader(content) if content else {}), None
    except (ValueError, HubError) as error:
        return {}, f"{path}: {' '.join(str(error).split())[:300]}"


@dataclass(frozen=True)
class OwnWords:
    """What a repository's files say of it, and a line for each of them that cannot be read."""

    metadata: dict[str, Any]
    config: dict[str, Any]
    parameters: dict[str, Any] | None
    defects: list[str]


def own_words(shelf: Shelf, oid: str, *, may_read: bool) -> OwnWords:
    """Card, configuration and header of the weights at a commit, each read once.

    Whoever may not read the files gets the card alone, which everybody sees.
    """
    metadata, no_card = _read(shelf, oid, "README.md", read_card)
    if not may_read:
        return OwnWords(metadata, {}, None, [no_card] if no_card else [])
    config, no_config = _read(shelf, oid, "config.json", read_config)
    parameters, no_header = _parameters(shelf, shelf.repository.files(oid))
    return OwnWords(metadata, config, parameters, [line for line in (no_card, no_config, no_header) if line])


def pipeline_tag_of(metadata: dict[str, Any], config: dict[str, Any]) -> str | None:
    """The task: what the card says, else what the architecture's name says."""
    told = metadata.get("pipeline_tag")
    if isinstance(told, str):
        return told
    architectures = config.get("architectures")
    first = str(architectures[0]) if isinstance(architectures, list) and architectures else ""
    known = {
        "ForSequenceClassification": "text-classification",
        "ForTokenClassification": "token-classification",
        "ForMaskedLM": "fill-mask",
        "ForCausalLM": "text-generation",
        "ForQuestionAnswering": "question-answering",
    }
    return next((task for ending, task in known.items() if first.endswith(ending)), None)


def tags_of(metadata: dict[str, Any], files: tuple[Entry, ...], config: dict[str, Any]) -> list[str]:
    """The tags that the Hub derives from a card and its files, in a stable order, without repetition."""
    library = metadata.get("library_name") or ("transformers" if config.get("model_type") else None)
    names = [library] if isinstance(library, str) else []
    names += [
        tag for suffix, tag in _FRAMEWORK_SUFFIXES.items() if any(f.path.endswith(suffix) for f in files)
    ]
    if isinstance(config.get("model_type"), str):
        names.append(config["model_type"])
    task = pipeline_tag_of(metadata, config)
    names += [task] if task else []
    names += strings_of(metadata.get("tags"))
    for key, prefix in (("datasets", "dataset"), ("base_model", "base_model"), ("license", "license")):
        names += [f"{prefix}:{value}" for value in strings_of(metadata.get(key))]
    names += strings_of(metadata.get("language"))
    if metadata.get("model-index"):
        names.append("model-index")
    return list(dict.fromkeys([*names, "region:us"]))


def strings_of(value: object) -> list[str]:
    """The strings of a list, or the one that stands in its place."""
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]


def _parameters(shelf: Shelf, files: tuple[Entry, ...]) -> tuple[dict[str, Any] | None, str | None]:
    """Parameters by type, None without a model.safetensors that can be read, and what is wrong with it."""
    entry = next((entry for entry in files if entry.path == "model.safetensors" and entry.pointer), None)
    held = shelf.large.find(entry.pointer.oid) if entry and entry.pointer else None
    if held is None:
        return None, None
    try:
        return count_parameters(held.path), None
    except (ValueError, OSError) as error:
        return None, f"model.safetensors: {error}"

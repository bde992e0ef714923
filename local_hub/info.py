"""What the API tells about a repository: info, siblings, tags, tree entries."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local_hub.catalogue import Shelf
from local_hub.contents import count_parameters, read_card, read_config
from local_hub.errors import HubError, bad_request
from local_hub.hub import Hub
from local_hub.record import timestamp
from local_hub.runtime import runtime_of
from local_hub.trees import CommitFacts, Entry
from local_hub.visits import Visit

log = logging.getLogger("local_hub")

_FRAMEWORK_SUFFIXES = {
    ".safetensors": "safetensors",
    ".onnx": "onnx",
    ".bin": "pytorch",
    ".tflite": "tf-lite",
}
_NO_COMMIT = "0" * 40
_ALWAYS = ("_id", "id")
_EXPANDABLE = {
    "author", "baseModels", "cardData", "childrenModelCount", "citation", "config", "createdAt", "datasets",
    "description", "disabled", "downloads", "downloadsAllTime", "evalResults", "gated", "gguf", "inference",
    "inferenceProviderMapping", "lastModified", "library_name", "likes", "mask_token", "model-index",
    "models",
    "paperswithcode_id", "pipeline_tag", "private", "resourceGroup", "runtime", "safetensors", "sdk", "sha",
    "siblings", "spaces", "subdomain", "host", "tags", "transformersInfo", "trendingScore", "usedStorage",
    "visibility", "widgetData", "xetEnabled",
}  # fmt: skip


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
    names += _strings(metadata.get("tags"))
    for key, prefix in (("datasets", "dataset"), ("base_model", "base_model"), ("license", "license")):
        names += [f"{prefix}:{value}" for value in _strings(metadata.get(key))]
    names += _strings(metadata.get("language"))
    if metadata.get("model-index"):
        names.append("model-index")
    return list(dict.fromkeys([*names, "region:us"]))


def _strings(value: object) -> list[str]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]


def large_file_answer(entry: Entry) -> dict[str, Any]:
    """The `lfs` part of a tree entry."""
    assert entry.pointer is not None
    return {
        "oid": entry.pointer.oid,
        "size": entry.pointer.size,
        "pointerSize": len(entry.pointer.to_bytes()),
    }


def tree_entry_answer(
    entry: Entry, last: CommitFacts | None = None, xet_hash: str | None = None
) -> dict[str, Any]:
    """A file or folder as /tree and /paths-info tell it."""
    answer: dict[str, Any] = {
        "type": "directory" if entry.is_folder else "file",
        "oid": entry.oid,
        "size": entry.size,
        "path": entry.path,
    }
    if entry.pointer:
        answer["lfs"] = large_file_answer(entry)
        if xet_hash:
            answer["xetHash"] = xet_hash
    if last:
        answer["lastCommit"] = {"id": last.oid, "title": last.title, "date": timestamp(last.date)}
    return answer


def _siblings(files: tuple[Entry, ...], blobs: bool, may_read: bool) -> list[dict[str, Any]]:
    """Names, with `blobs` also sizes and, for whoever may read the files, their hashes."""
    if not blobs:
        return [{"rfilename": entry.path} for entry in files]
    if not may_read:
        return [{"rfilename": entry.path, "size": entry.size} for entry in files]
    answers = []
    for entry in files:
        answer: dict[str, Any] = {"rfilename": entry.path, "blobId": entry.oid, "size": entry.size}
        if entry.pointer:
            large = large_file_answer(entry)
            answer["lfs"] = {
                "sha256": large["oid"],
                "size": large["size"],
                "pointerSize": large["pointerSize"],
            }
        answers.append(answer)
    return answers


def describe_repository(
    visit: Visit, oid: str, *, blobs: bool = False, expand: list[str] | None = None
) -> dict[str, Any]:
    """The info of a repository at a commit; with `expand` only id and those properties, 400 for unknown."""
    unknown = set(expand or ()) - _EXPANDABLE
    if unknown:
        allowed = ", ".join(sorted(_EXPANDABLE))
        raise bad_request(f"Unknown property to expand {sorted(unknown)[0][:60]!r}: allowed are {allowed}.")
    answer = _everything_or_broken(visit, oid, blobs)
    if expand:
        return {key: value for key, value in answer.items() if key in _ALWAYS or key in expand}
    hidden = {
        "xetEnabled",
        "safetensors",
        "inferenceProviderMapping",
        "inference",
        "visibility",
        "evalResults",
    }
    kept = hidden - {"safetensors", "inference"} if visit.id.kind == "models" else hidden
    return {key: value for key, value in answer.items() if key not in kept}


def _everything_or_broken(visit: Visit, oid: str, blobs: bool) -> dict[str, Any]:
    """A repository whose history itself is damaged is shown with what its record knows."""
    try:
        return _everything(visit, oid, blobs)
    except Exception as error:  # whatever a damaged store raises: one repository must not break a list
        shelf, record = visit.shelf, visit.shelf.record
        log.warning("%s cannot be read: %r", shelf.id, error)
        known = {"_id": record.id, "id": str(shelf.id), "author": shelf.id.namespace, "sha": oid}
        facts = {"private": record.private, "gated": record.gated, "createdAt": record.created_at}
        return {**known, **facts, "tags": [], "siblings": [], "broken": ["its history cannot be read"]}


def _everything(visit: Visit, oid: str, blobs: bool) -> dict[str, Any]:
    shelf, repository, record = visit.shelf, visit.repository, visit.shelf.record
    files, words = repository.files(oid), own_words(shelf, oid, may_read=visit.may_read)
    answer: dict[str, Any] = {
        "_id": record.id,
        "id": str(shelf.id),
        "author": shelf.id.namespace,
        "sha": oid,
        "lastModified": timestamp(repository.commit_facts(oid).date),
        "createdAt": record.created_at,
        "private": record.private,
        "visibility": "private" if record.private else "public",
        "gated": record.gated,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": tags_of(words.metadata, files, words.config),
        "usedStorage": sum(entry.size for entry in files),
        "siblings": _siblings(files, blobs, visit.may_read),
        "xetEnabled": visit.hub.settings.xet,
    }
    if words.metadata:
        answer["cardData"] = words.metadata
    if words.defects:
        answer["broken"] = words.defects
    if shelf.id.kind == "models":
        answer |= _model_part(visit, words)
    if shelf.id.kind == "spaces":
        answer |= _space_part(visit, words.metadata)
    return answer


def _model_part(visit: Visit, words: OwnWords) -> dict[str, Any]:
    hub, shelf = visit.hub, visit.shelf
    metadata, config = words.metadata, words.config
    task = pipeline_tag_of(metadata, config)
    part: dict[str, Any] = {"modelId": str(shelf.id), "spaces": _spaces_using(hub, shelf)}
    if task:
        part["pipeline_tag"] = task
        part["mask_token"] = None
    library = metadata.get("library_name") or ("transformers" if config.get("model_type") else None)
    if library:
        part["library_name"] = library
    if isinstance(metadata.get("widget"), list):
        part["widgetData"] = metadata["widget"]
    if metadata.get("model-index"):
        part["model-index"] = metadata["model-index"]
    if config:
        part["config"] = {key: config[key] for key in ("architectures", "model_type") if key in config}
    if words.parameters:
        part["safetensors"] = words.parameters
    if task == "text-classification":
        mapping = {"status": "live", "providerId": str(shelf.id), "task": task}
        part |= {"inference": "warm", "inferenceProviderMapping": {"hf-inference": mapping}}
    return part


def _spaces_using(hub: Hub, shelf: Shelf) -> list[str]:
    """Public Spaces whose card lists this model."""
    users = []
    for other in hub.catalogue.all():
        if other.id.kind == "spaces" and not other.record.private:
            metadata = metadata_of(other, head_of(other))
            users += [str(other.id)] if str(shelf.id) in _strings(metadata.get("models")) else []
    return users


def _space_part(visit: Visit, metadata: dict[str, Any]) -> dict[str, Any]:
    hub, shelf = visit.hub, visit.shelf
    subdomain = f"{shelf.id.namespace}-{shelf.id.name}".lower().replace(".", "-").replace("_", "-")
    return {
        "sdk": metadata.get("sdk") or shelf.record.sdk,
        "subdomain": subdomain,
        "host": f"{hub.settings.address}/spaces/{shelf.id}/app/",
        "runtime": runtime_of(visit, metadata_of(shelf, visit.repository.resolve("main"))),
        "models": _strings(metadata.get("models")),
        "datasets": _strings(metadata.get("datasets")),
    }


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

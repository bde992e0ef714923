"""What the API tells about a repository: info, siblings, tree entries."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from local_hub.errors import bad_request
from local_hub.hub import Hub
from local_hub.own_words import (
    OwnWords,
    head_of,
    metadata_of,
    own_words,
    pipeline_tag_of,
    strings_of,
    tags_of,
)
from local_hub.record import timestamp
from local_hub.runtime import runtime_of
from local_hub.trees import CommitFacts, Entry
from local_hub.visits import Visit

log = logging.getLogger("local_hub")

Users = Mapping[str, Sequence[str]]

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
    visit: Visit, oid: str, users: Users, *, blobs: bool = False, expand: list[str] | None = None
) -> dict[str, Any]:
    """The info of a repository at a commit; with `expand` only id and those properties, 400 for unknown.

    `users` are those of `list_users`, made once for a list: else it would take quadratic time.
    """
    unknown = set(expand or ()) - _EXPANDABLE
    if unknown:
        allowed = ", ".join(sorted(_EXPANDABLE))
        raise bad_request(f"Unknown property to expand {sorted(unknown)[0][:60]!r}: allowed are {allowed}.")
    answer = _everything_or_broken(visit, oid, users, blobs)
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


def _everything_or_broken(visit: Visit, oid: str, users: Users, blobs: bool) -> dict[str, Any]:
    """A repository whose history itself is damaged is shown with what its record knows."""
    try:
        return _everything(visit, oid, users, blobs)
    except Exception as error:  # whatever a damaged store raises: one repository must not break a list
        shelf, record = visit.shelf, visit.shelf.record
        log.warning("%s cannot be read: %r", shelf.id, error)
        known = {"_id": record.id, "id": str(shelf.id), "author": shelf.id.namespace, "sha": oid}
        facts = {"private": record.private, "gated": record.gated, "createdAt": record.created_at}
        return {**known, **facts, "tags": [], "siblings": [], "broken": ["its history cannot be read"]}


def _everything(visit: Visit, oid: str, users: Users, blobs: bool) -> dict[str, Any]:
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
        answer |= _model_part(visit, words, users)
    if shelf.id.kind == "spaces":
        answer |= _space_part(visit, words.metadata)
    return answer


def _model_part(visit: Visit, words: OwnWords, users: Users) -> dict[str, Any]:
    shelf, metadata, config = visit.shelf, words.metadata, words.config
    task = pipeline_tag_of(metadata, config)
    part: dict[str, Any] = {"modelId": str(shelf.id), "spaces": users.get(str(shelf.id), [])}
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


def list_users(hub: Hub) -> Users:
    """The public Spaces that list a model in their card, by the model's id."""
    users: dict[str, list[str]] = {}
    for other in hub.catalogue.all():
        if other.id.kind == "spaces" and not other.record.private:
            for model in set(strings_of(metadata_of(other, head_of(other)).get("models"))):
                users.setdefault(model, []).append(str(other.id))
    return users


def _space_part(visit: Visit, metadata: dict[str, Any]) -> dict[str, Any]:
    hub, shelf = visit.hub, visit.shelf
    subdomain = f"{shelf.id.namespace}-{shelf.id.name}".lower().replace(".", "-").replace("_", "-")
    return {
        "sdk": metadata.get("sdk") or shelf.record.sdk,
        "subdomain": subdomain,
        "host": f"{hub.settings.address}/spaces/{shelf.id}/app/",
        "runtime": runtime_of(visit, metadata_of(shelf, visit.repository.resolve("main"))),
        "models": strings_of(metadata.get("models")),
        "datasets": strings_of(metadata.get("datasets")),
    }

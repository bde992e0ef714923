"""Repositories as such: create, delete, move, settings, info, lists, the check of a README."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, Field

from local_hub.attributes import default_attributes
from local_hub.card import check_card
from local_hub.catalogue import write_secrets
from local_hub.commits import check_readme, check_regular
from local_hub.errors import HubError, bad_request, repository_not_found
from local_hub.holdings import pointer_refused
from local_hub.hub import Hub
from local_hub.info import describe_repository, list_users
from local_hub.names import RepoId, check_name, check_namespace, check_path, kind_of_type
from local_hub.objects import read_pointer
from local_hub.own_words import head_of
from local_hub.record import Record, Variable, timestamp
from local_hub.repository import Repository
from local_hub.request_body import json_body
from local_hub.rights import may_see
from local_hub.trees import Change, Signature
from local_hub.variables import MAX_VARIABLES, VariableKey, VariableValue
from local_hub.visits import Reader, TheHub, TheViewer, Visit, endpoint_of, visit

router = APIRouter()
_PAID_SDKS = ("gradio", "docker")
_SDKS = (*_PAID_SDKS, "static", "streamlit")


class _KeyValue(BaseModel):
    key: VariableKey
    value: VariableValue = ""
    description: str | None = None


class _GivenFile(BaseModel):
    path: str
    content: str
    encoding: str = "utf-8"


class _Creation(BaseModel):
    name: str
    organization: str | None = None
    type: str | None = None
    private: bool | None = None
    visibility: Literal["public", "private", "protected"] | None = None
    sdk: str | None = None
    hardware: str | None = None
    sleepTimeSeconds: int | None = None
    secrets: list[_KeyValue] = Field(default=[], max_length=MAX_VARIABLES)
    variables: list[_KeyValue] = Field(default=[], max_length=MAX_VARIABLES)
    license: str | None = None
    files: list[_GivenFile] = []


class _Deletion(BaseModel):
    name: str
    organization: str | None = None
    type: str | None = None


class _Move(BaseModel):
    fromRepo: str
    toRepo: str
    type: str | None = None


class _Settings(BaseModel):
    private: bool | None = None
    visibility: Literal["public", "private", "protected"] | None = None
    gated: Literal["auto", "manual", False] | None = None


class _Readme(BaseModel):
    content: str
    repoType: str | None = None


def _named(name: str, organization: str | None, kind_name: str | None, viewer_name: str) -> RepoId:
    """The id that a body means: `name` alone, `namespace/name`, or name and organization."""
    namespace, slash, rest = name.partition("/")
    if not slash:
        namespace, rest = organization or viewer_name, name
    return RepoId(kind_of_type(kind_name), namespace, rest)


@router.post("/api/repos/create")
def create(
    request: Request, hub: TheHub, viewer: TheViewer, body: Annotated[_Creation, json_body(_Creation)]
) -> JSONResponse:
    """Create a repository with its first commit; 409 with its `url` if it exists."""
    if viewer is None:
        raise HubError(401, "Invalid username or password.")
    repo_id = _named(body.name, body.organization, body.type, viewer.name)
    check_namespace(repo_id.namespace)
    check_name(repo_id.name)
    hub.accounts.require_writer(viewer, repo_id.namespace, f"create a {repo_id.type}")
    answer = {"url": f"{endpoint_of(request)}/{repo_id.web_path}", "name": str(repo_id)}
    known = hub.catalogue.get(repo_id)
    if known:
        raise HubError(409, f"You already created this {repo_id.type} repo: {repo_id}", extra={**answer})
    _check_sdk(hub, repo_id, body)
    record = _record_of(body, viewer.name)
    secrets = {item.key: item.value for item in body.secrets}

    def fill(repository: Repository) -> None:
        _first_commit(repository, repo_id, body, hub)
        if secrets:
            write_secrets(repository.folder, secrets)

    try:
        shelf = hub.catalogue.create(repo_id, record, fill)
    except HubError as error:
        error.extra |= answer if error.status == 409 else {}
        raise
    return JSONResponse({**answer, "id": shelf.record.id})


def _check_sdk(hub: Hub, repo_id: RepoId, body: _Creation) -> None:
    if repo_id.kind != "spaces":
        return
    if body.sdk not in _SDKS:
        raise bad_request(f'"sdk" must be one of [{", ".join(_SDKS)}], got {body.sdk!r}.')
    free_zero = body.hardware == "zero-a10g" and body.sdk == "gradio"
    if hub.settings.free_account and body.sdk in _PAID_SDKS and not free_zero:
        raise HubError(
            402,
            f"{body.sdk.capitalize()} Spaces on cpu-basic need a paid plan. Create a static Space, or ask "
            "for the hardware zero-a10g.",
        )


def _record_of(body: _Creation, creator: str) -> Record:
    now = timestamp()
    return Record(
        private=body.visibility != "public" if body.visibility else bool(body.private),
        creator=creator,
        sdk=body.sdk,
        hardware=body.hardware,
        sleep_seconds=body.sleepTimeSeconds,
        variables={
            item.key: Variable(value=item.value, description=item.description, updated_at=now)
            for item in body.variables
        },
        secrets={item.key: Variable(description=item.description, updated_at=now) for item in body.secrets},
    )


def _first_commit(repository: Repository, repo_id: RepoId, body: _Creation, hub: Hub) -> None:
    files = {".gitattributes": default_attributes(repo_id.kind).encode()}
    if repo_id.kind == "spaces":
        files["README.md"] = f"---\ntitle: {repo_id.name!r}\nsdk: {body.sdk}\npinned: false\n---\n".encode()
    elif body.license:
        files["README.md"] = f"---\nlicense: {body.license!r}\n---\n".encode()
    for given in body.files:
        content = _content_of(given)
        check_regular(given.path, content, hub.settings.regular_file_limit)
        pointer = read_pointer(content)
        if pointer:  # a new repository has received nothing yet
            raise pointer_refused(given.path, pointer.oid)
        files[check_path(given.path)] = content
    check_readme(files.get("README.md", b""), repo_id.kind)
    changes = [Change(path, repository.add_blob(content)) for path, content in files.items()]
    oid = repository.write_commit((), changes, Signature(repo_id.namespace, "initial commit"))
    repository.point("refs/heads/main", oid, None)


def _content_of(given: _GivenFile) -> bytes:
    try:
        is_base64 = given.encoding == "base64"
        return base64.b64decode(given.content, validate=True) if is_base64 else given.content.encode("utf-8")
    except (binascii.Error, ValueError):
        raise bad_request(f"{given.path[:100]}: the content is not valid {given.encoding[:20]}.") from None


@router.delete("/api/repos/delete")
def delete(
    request: Request, hub: TheHub, viewer: TheViewer, body: Annotated[_Deletion, json_body(_Deletion)]
) -> PlainTextResponse:
    """Delete a repository with its history."""
    named = _named(body.name, body.organization, body.type, viewer.name if viewer else "")
    found = visit(request, viewer, named.kind, named.namespace, named.name)
    found.require_writer(f"delete a {named.type}")
    hub.delete(found.shelf)
    return PlainTextResponse("OK")


@router.post("/api/repos/move")
def move(
    request: Request, hub: TheHub, viewer: TheViewer, body: Annotated[_Move, json_body(_Move)]
) -> PlainTextResponse:
    """Rename a repository or move it to another namespace that the viewer owns."""
    kind = kind_of_type(body.type)
    source, target = (RepoId(kind, *_two_parts(name)) for name in (body.fromRepo, body.toRepo))
    visit(request, viewer, kind, source.namespace, source.name)
    check_namespace(target.namespace)
    check_name(target.name)
    for namespace in (source.namespace, target.namespace):
        hub.accounts.require_writer(viewer, namespace, f"move a {source.type}")
    hub.catalogue.move(source, target)
    return PlainTextResponse("OK")


def _two_parts(name: str) -> tuple[str, str]:
    namespace, slash, rest = name.partition("/")
    if not slash or "/" in rest:
        raise bad_request(f"Invalid repository id {name[:200]!r}: write it as namespace/name.")
    return namespace, rest


@router.put("/api/{kind}/{namespace}/{name}/settings")
def settings(visit: Reader, body: Annotated[_Settings, json_body(_Settings)]) -> dict[str, Any]:
    """Make a repository private, public or gated."""
    visit.require_writer(f"change the settings of {visit.id}")
    update: dict[str, Any] = {}
    if body.private is not None or body.visibility is not None:
        update["private"] = body.visibility != "public" if body.visibility else body.private
    if "gated" in body.model_fields_set:
        if visit.id.kind == "spaces":
            raise bad_request("A Space cannot be gated.")
        update["gated"] = body.gated
    record = visit.shelf.update(lambda before: before.model_copy(update=update))
    return {"private": record.private, "gated": record.gated}


@router.post("/api/validate-yaml")
def validate_yaml(viewer: TheViewer, body: Annotated[_Readme, json_body(_Readme)]) -> JSONResponse:
    """Judge the metadata of a README; 400 with `errors` if a commit with it would be refused."""
    findings = check_card(body.content, kind_of_type(body.repoType))
    answer: dict[str, Any] = {
        "errors": [{"message": message} for message in findings.errors],
        "warnings": [{"message": message} for message in findings.warnings],
    }
    if findings.errors:
        answer["error"] = "Invalid metadata in README.md"
    return JSONResponse(answer, status_code=400 if findings.errors else 200)


@router.get("/api/{kind}")
def list_repositories(
    request: Request,
    hub: TheHub,
    viewer: TheViewer,
    kind: Literal["models", "datasets", "spaces"],
    author: str | None = None,
    search: str | None = None,
    limit: int = 100,
    filter: Annotated[list[str] | None, Query()] = None,
) -> JSONResponse:
    """Repositories that the viewer may see, newest first."""
    answers: list[dict[str, Any]] = []
    users, most = list_users(hub) if kind == "models" else {}, max(0, min(limit, 1000))
    for shelf in hub.catalogue.all():
        visible = may_see(hub.accounts, shelf, viewer)
        if len(answers) == most or shelf.id.kind != kind or not visible:
            continue
        if (author and shelf.id.namespace != author) or (search or "").lower() not in str(shelf.id).lower():
            continue
        found = Visit(hub, shelf, viewer, endpoint_of(request))
        answer = describe_repository(found, head_of(shelf), users)
        if set(filter or ()) <= set(answer["tags"]):
            answers.append(answer)
    return JSONResponse(answers)


def _info(visit: Reader, revision: str, request: Request) -> JSONResponse:
    query = request.query_params
    expand = [*query.getlist("expand"), *query.getlist("expand[]")]
    oid = visit.repository.resolve(revision)
    blobs = query.get("blobs", "").lower() in ("true", "1")
    users = list_users(visit.hub) if visit.id.kind == "models" else {}
    return JSONResponse(describe_repository(visit, oid, users, blobs=blobs, expand=expand or None))


@router.get("/api/{kind}/{namespace}/{name}")
def info(request: Request, visit: Reader) -> JSONResponse:
    """The info of the main branch."""
    return _info(visit, "main", request)


@router.get("/api/{kind}/{namespace}/{name}/revision/{revision:path}")
def info_at(request: Request, visit: Reader, revision: str) -> JSONResponse:
    """The info of a revision."""
    return _info(visit, unquote(revision), request)


@router.get("/api/{kind}/{name}")
def info_without_namespace(viewer: TheViewer) -> None:
    """Names without a namespace belong to nobody here."""
    raise repository_not_found(anonymous=viewer is None)

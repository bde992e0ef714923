"""Branches and tags."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from local_hub.errors import bad_request
from local_hub.request_body import json_body
from local_hub.trees import Change, Signature
from local_hub.visits import Reader

router = APIRouter()


class _Branch(BaseModel):
    startingPoint: str | None = None
    emptyBranch: bool = False
    overwrite: bool = False


class _Tag(BaseModel):
    tag: str
    message: str | None = None


def _ref_answers(refs: dict[str, str], prefix: str) -> list[dict[str, str]]:
    return [{"name": name, "ref": f"{prefix}{name}", "targetCommit": oid} for name, oid in refs.items()]


@router.get("/api/{kind}/{namespace}/{name}/refs")
def refs(request: Request, visit: Reader) -> dict[str, Any]:
    """Branches and tags, with `include_prs` also pull requests."""
    repository = visit.repository
    answer: dict[str, Any] = {
        "branches": _ref_answers(repository.refs("refs/heads/"), "refs/heads/"),
        "converts": [],
        "tags": _ref_answers(repository.refs("refs/tags/"), "refs/tags/"),
    }
    if request.query_params.get("include_prs", "").lower() in ("1", "true"):
        pulls = repository.refs("refs/pr/")
        answer["pullRequests"] = [
            {"name": f"refs/pr/{name}", "ref": f"refs/pr/{name}", "targetCommit": oid}
            for name, oid in pulls.items()
        ]
    return answer


@router.post("/api/{kind}/{namespace}/{name}/branch/{branch:path}")
def create_branch(
    visit: Reader, branch: str, body: Annotated[_Branch, json_body(_Branch)]
) -> PlainTextResponse:
    """Create a branch at a revision (main by default), or with nothing in it."""
    viewer = visit.require_writer(f"create a branch in {visit.id}")
    name = unquote(branch)
    with visit.repository.lock:
        if body.emptyBranch:
            initial: list[Change] = []
            oid = visit.repository.write_commit((), initial, Signature(viewer.name, "initial commit"))
        else:
            oid = visit.repository.resolve(body.startingPoint or "main")
        ref = f"refs/heads/{name}"
        before = visit.repository.refs("refs/heads/").get(name)
        if body.overwrite and before:
            visit.repository.point(ref, oid, before)
        else:
            visit.repository.create_ref(ref, oid)
    return PlainTextResponse("OK")


@router.delete("/api/{kind}/{namespace}/{name}/branch/{branch:path}")
def delete_branch(visit: Reader, branch: str) -> PlainTextResponse:
    """Delete a branch other than main."""
    visit.require_writer(f"delete a branch of {visit.id}")
    if unquote(branch) == "main":
        raise bad_request("The branch main cannot be deleted.")
    visit.repository.delete_ref(f"refs/heads/{unquote(branch)}")
    return PlainTextResponse("OK")


@router.post("/api/{kind}/{namespace}/{name}/tag/{revision:path}")
def create_tag(visit: Reader, revision: str, body: Annotated[_Tag, json_body(_Tag)]) -> PlainTextResponse:
    """Tag a revision; 409 if the tag exists."""
    viewer = visit.require_writer(f"create a tag in {visit.id}")
    oid = visit.repository.resolve(unquote(revision))
    visit.repository.create_tag(body.tag, oid, body.message, viewer.name)
    return PlainTextResponse("OK")


@router.delete("/api/{kind}/{namespace}/{name}/tag/{tag:path}")
def delete_tag(visit: Reader, tag: str) -> PlainTextResponse:
    """Delete a tag."""
    visit.require_writer(f"delete a tag of {visit.id}")
    visit.repository.delete_ref(f"refs/tags/{unquote(tag)}")
    return PlainTextResponse("OK")

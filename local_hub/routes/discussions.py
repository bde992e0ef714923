"""Discussions and pull requests."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from local_hub import pulls
from local_hub.request_body import json_body
from local_hub.visits import Reader

router = APIRouter()
_BASE = "/api/{kind}/{namespace}/{name}/discussions"


class _Opening(BaseModel):
    title: str = Field(min_length=1)
    description: str = Field(default="", max_length=200_000)
    pullRequest: bool = False


class _Comment(BaseModel):
    comment: str | None = Field(default=None, max_length=200_000)


class _Status(_Comment):
    status: str


class _Title(BaseModel):
    title: str = Field(min_length=3, max_length=200)


@router.get(_BASE)
def list_discussions(request: Request, visit: Reader, p: int = 0) -> JSONResponse:
    """Discussions, newest first, in pages of 50."""
    query = request.query_params
    found = [
        known
        for known in reversed(visit.shelf.record.discussions)
        if query.get("type") in (None, "all", "pull_request" if known.is_pull_request else "discussion")
        and query.get("status") in (None, "all", "open" if known.status in ("open", "draft") else "closed")
        and query.get("author") in (None, known.author)
    ]
    start = max(0, min(p, 100_000)) * 50
    answers = [pulls.describe(visit.shelf, known) for known in found[start : start + 50]]
    return JSONResponse({"discussions": answers, "count": len(found), "start": start})


@router.post(_BASE)
def open_discussion(visit: Reader, body: Annotated[_Opening, json_body(_Opening)]) -> JSONResponse:
    """Open a discussion, or an empty pull request into main."""
    viewer = visit.require_contributor() if body.pullRequest else visit.require_speaker()
    base = "refs/heads/main" if body.pullRequest else None
    head = visit.repository.resolve("main") if body.pullRequest else None
    opened = pulls.open_discussion(
        visit.shelf, viewer.name, body.title, body.description, base=base, head=head
    )
    url = f"{visit.page}/discussions/{opened.num}"
    return JSONResponse({"num": opened.num, "url": url, "pullRequest": opened.is_pull_request})


@router.get(_BASE + "/{number:int}")
def read_discussion(visit: Reader, number: int) -> JSONResponse:
    """A discussion with its events; a pull request also with its diff."""
    known = pulls.find_discussion(visit.shelf, number)
    return JSONResponse(pulls.describe_fully(visit.shelf, known, may_read=visit.may_read))


@router.post(_BASE + "/{number:int}/comment")
def comment(visit: Reader, number: int, body: Annotated[_Comment, json_body(_Comment)]) -> dict[str, Any]:
    """Add a comment."""
    viewer = visit.require_speaker()
    return {
        "newMessage": pulls.event_answer(pulls.comment(visit.shelf, number, viewer.name, body.comment or ""))
    }


@router.post(_BASE + "/{number:int}/title")
def rename(visit: Reader, number: int, body: Annotated[_Title, json_body(_Title)]) -> dict[str, Any]:
    """Change the title."""
    viewer = visit.require_writer(f"rename a discussion of {visit.id}")
    return {"newTitle": pulls.event_answer(pulls.rename(visit.shelf, number, viewer.name, body.title))}


@router.post(_BASE + "/{number:int}/status")
def set_status(visit: Reader, number: int, body: Annotated[_Status, json_body(_Status)]) -> dict[str, Any]:
    """Open or close."""
    viewer = visit.require_writer(f"change a discussion of {visit.id}")
    event = pulls.set_status(visit.shelf, number, viewer.name, body.status, body.comment)
    return {"newStatus": pulls.event_answer(event)}


@router.post(_BASE + "/{number:int}/merge")
def merge(visit: Reader, number: int, body: Annotated[_Comment, json_body(_Comment)]) -> dict[str, Any]:
    """Merge a pull request into its base."""
    viewer = visit.require_writer(f"merge into {visit.id}")
    oid = pulls.merge(visit.shelf, number, viewer.name, body.comment)
    visit.hub.after_change(visit.shelf, pulls.find_discussion(visit.shelf, number).base)
    return {"status": "merged", "mergeCommitId": oid}

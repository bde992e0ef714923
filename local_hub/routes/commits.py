"""Changing files: preupload says how each file is to be sent, commit takes them all at once."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any
from urllib.parse import unquote

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from local_hub.attributes import IgnoreRule, LargeFileRule, looks_binary
from local_hub.commits import CommitDraft, Committed, writable_ref
from local_hub.errors import bad_request
from local_hub.names import check_path
from local_hub.pulls import open_discussion
from local_hub.record import timestamp
from local_hub.request_body import json_body, lines
from local_hub.trees import CommitFacts, Entry
from local_hub.visits import Reader, Visit

router = APIRouter()
_MAX_BODY = 4 << 30
_PAGE = 50


class _Candidate(BaseModel):
    path: str
    size: int = Field(ge=0)
    sample: str = ""


class _Preupload(BaseModel):
    files: list[_Candidate] = Field(max_length=10_000)
    gitIgnore: str | None = None
    gitAttributes: str | None = None


def _is_true(value: str | None) -> bool:
    return (value or "").lower() in ("1", "true")


@router.post("/api/{kind}/{namespace}/{name}/preupload/{revision:path}")
def preupload(
    visit: Reader, revision: str, body: Annotated[_Preupload, json_body(_Preupload, limit=32 << 20)]
) -> JSONResponse:
    """For each file: regular or large, ignored or not, and what the branch holds under that path."""
    visit.require_contributor()
    oid = visit.repository.resolve(unquote(revision))
    existing = {entry.path: entry for entry in visit.repository.files(oid)}
    attributes, ignore = _rules(visit, oid, body)
    limit = visit.hub.settings.regular_file_limit
    answers = []
    for file in body.files:
        path = check_path(file.path)
        large = _is_large(file, attributes, limit)
        answer: dict[str, Any] = {
            "path": path,
            "uploadMode": "lfs" if large else "regular",
            "shouldIgnore": ignore.matches(path),
        }
        known = existing.get(path)
        if known:
            answer["oid"] = _known_oid(known)
        answers.append(answer)
    return JSONResponse({"files": answers, "commitOid": oid})


def _rules(visit: Visit, oid: str, body: _Preupload) -> tuple[LargeFileRule, IgnoreRule]:
    """The rules that the client is about to commit, else those that stand in the repository."""
    told = {".gitattributes": body.gitAttributes, ".gitignore": body.gitIgnore}
    texts = {
        path: text.encode("utf-8", "replace") if text is not None else visit.repository.read(oid, path) or b""
        for path, text in told.items()
    }
    return LargeFileRule(texts[".gitattributes"]), IgnoreRule(texts[".gitignore"])


def _is_large(file: _Candidate, attributes: LargeFileRule, limit: int) -> bool:
    if file.size == 0:
        return False
    try:
        sample = base64.b64decode(file.sample, validate=True)
    except (binascii.Error, ValueError):
        raise bad_request(f"{file.path[:100]}: the sample is not valid base64.") from None
    return file.size > limit or attributes.matches(file.path) or looks_binary(sample)


def _known_oid(entry: Entry) -> str:
    return entry.pointer.oid if entry.pointer else entry.oid


@router.post("/api/{kind}/{namespace}/{name}/commit/{revision:path}")
async def commit(request: Request, visit: Reader, revision: str) -> JSONResponse:
    """Apply the operations as one commit, to a branch or as a new pull request."""
    as_pull_request = _is_true(request.query_params.get("create_pr"))
    viewer = visit.require_contributor() if as_pull_request else visit.require_writer(f"commit to {visit.id}")
    base = unquote(revision)
    ref = await to_thread.run_sync(writable_ref, visit.shelf, base)
    visit.hub.commit_quota.spend(f"{visit.id.kind}/{visit.id}")
    draft = CommitDraft(visit)
    line_limit = visit.hub.settings.regular_file_limit * 2 + (1 << 20)
    async for line in lines(request, line_limit=line_limit, limit=_MAX_BODY):
        await to_thread.run_sync(draft.add_line, line)
    if as_pull_request:
        return await to_thread.run_sync(_open_pull_request, visit, draft, ref, viewer.name)
    done = await to_thread.run_sync(draft.commit, ref, viewer.name)
    await to_thread.run_sync(visit.hub.after_change, visit.shelf, ref)  # may wait for a Space to end
    return JSONResponse(_answer(visit, done))


def _open_pull_request(visit: Visit, draft: CommitDraft, ref: str, author: str) -> JSONResponse:
    done = draft.commit_aside(ref, author)
    opened = open_discussion(visit.shelf, author, done.title, draft.description, base=ref, head=done.oid)
    url = f"{visit.page}/discussions/{opened.num}"
    return JSONResponse({**_answer(visit, done), "pullRequestUrl": url})


def _answer(visit: Visit, done: Committed) -> dict[str, Any]:
    return {
        "success": True,
        "commitOid": done.oid,
        "commitUrl": f"{visit.page}/commit/{done.oid}",
        "hookOutput": "",
    }


@router.get("/api/{kind}/{namespace}/{name}/commits/{revision:path}")
def history(request: Request, visit: Reader, revision: str, p: int = 0, limit: int = _PAGE) -> JSONResponse:
    """The commits of a revision, newest first, in pages."""
    oid = visit.repository.resolve(unquote(revision))
    page, size = max(0, min(p, 1_000_000)), max(1, min(limit, 1000))
    found = visit.repository.history(oid, skip=page * size, limit=size + 1)
    response = JSONResponse([_commit_answer(facts) for facts in found[:size]])
    if len(found) > size:
        following = request.url.include_query_params(p=page + 1)
        response.headers["Link"] = (
            f'<{visit.endpoint}{request.scope["wire_path"]}?{following.query}>; rel="next"'
        )
    return response


def _commit_answer(facts: CommitFacts) -> dict[str, Any]:
    return {
        "id": facts.oid,
        "title": facts.title,
        "message": facts.message,
        "authors": [{"user": facts.author, "avatar": ""}],
        "date": timestamp(facts.date),
    }

"""Signed addresses and tokens that open one thing of one repository, for whom they were made.

Rights are asked again when a pass is shown: a repository may have become private or gated, or a grant may
have ended. The repository is named by its record, so a pass outlives a renaming and never opens a namesake.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request

from local_hub.accounts import Viewer
from local_hub.rights import may_see
from local_hub.visits import Visit, endpoint_of, hub_of

Claim = dict[str, Any]


def sign_pass(visit: Visit, purpose: str, *, seconds: int = 3600, **claim: object) -> str:
    """A text that opens what the claim names, for the viewer of this visit."""
    viewer = visit.viewer
    bearer = {"user": viewer.name, "role": viewer.role} if viewer else {}
    claim = {**claim, **bearer, "repo": visit.shelf.record.id}
    return visit.hub.signer.sign(purpose, claim, seconds=seconds)


def open_pass(request: Request, purpose: str, text: str) -> tuple[Visit, Claim] | None:
    """The visit that the pass was made in and what it claims; None if it opens nothing any more."""
    hub = hub_of(request)
    claim = hub.signer.read(purpose, text)
    shelf = hub.catalogue.find_record(claim["repo"]) if claim else None
    if claim is None or shelf is None:
        return None
    viewer = Viewer(claim["user"], claim["role"]) if "user" in claim else None
    known = viewer is None or viewer.name in hub.accounts.users
    if not known or not may_see(hub.accounts, shelf, viewer):
        return None
    return Visit(hub, shelf, viewer, endpoint_of(request)), claim

"""Who am I, and may I."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from local_hub.errors import HubError
from local_hub.record import timestamp
from local_hub.visits import Reader, TheHub, TheViewer

router = APIRouter()


@router.get("/api/whoami-v2")
def whoami(hub: TheHub, viewer: TheViewer) -> dict[str, Any]:
    """The user behind the token; 401 without one."""
    if viewer is None:
        raise HubError(401, "Invalid username or password.")
    organizations = [
        {
            "type": "org",
            "id": name,
            "name": name,
            "fullname": name,
            "isEnterprise": False,
            "roleInOrg": "admin",
        }
        for name in hub.accounts.organizations
    ]
    token = {"displayName": f"{viewer.name}-{viewer.role}", "role": viewer.role, "createdAt": timestamp()}
    return {
        "type": "user",
        "id": viewer.name,
        "name": viewer.name,
        "fullname": viewer.name,
        "email": f"{viewer.name}@users.noreply.localhost",
        "emailVerified": True,
        "canPay": not hub.settings.free_account,
        "isPro": not hub.settings.free_account,
        "orgs": organizations,
        "auth": {"type": "access_token", "accessToken": token},
    }


@router.get("/api/{kind}/{namespace}/{name}/auth-check")
def check_read(visit: Reader) -> dict[str, str]:
    """Succeed if the viewer may read the repository's files."""
    visit.require_content()
    return {"status": "ok"}


@router.get("/api/{kind}/{namespace}/{name}/auth-check/write")
def check_write(visit: Reader) -> dict[str, str]:
    """Succeed if the viewer may commit to the repository."""
    visit.require_writer(f"write to the {visit.id.type} {visit.id}")
    return {"status": "ok"}


@router.post("/{kind}/{namespace}/{name}/ask-access")
def ask_access(request: Request, visit: Reader) -> dict[str, str]:
    """Ask for access to a gated repository; granted at once where it is gated automatically."""
    viewer = visit.viewer
    if viewer is None:
        raise HubError(401, "Invalid username or password.")
    if visit.shelf.record.gated != "auto":
        return {"status": "pending"}
    visit.shelf.update(
        lambda record: record.model_copy(
            update={"granted": tuple(dict.fromkeys((*record.granted, viewer.name)))},
        )
    )
    return {"status": "accepted"}

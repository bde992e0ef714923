"""The control plane of tests: planned failures and the log of requests.

Only there with --allow-faults, and only for the holder of the token in `root/control`. A user's token is not
enough: the log tells what the others ask for.
"""

from __future__ import annotations

import hmac
from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import TypeAdapter, ValidationError

from local_hub.accounts import bearer_of, digest_of
from local_hub.errors import HubError, bad_request
from local_hub.faults import Fault, FaultPlan
from local_hub.middleware import RequestLog
from local_hub.request_body import parse_json, whole
from local_hub.visits import hub_of


def _require_control(request: Request) -> None:
    """Pass for the holder of the control token; 401 for everybody else."""
    wanted = hub_of(request).control_token or ""
    given = bearer_of(request.headers.get("authorization")) or ""
    if not wanted or not hmac.compare_digest(digest_of(wanted), digest_of(given)):
        raise HubError(401, "The control plane needs the token in the file 'control' of the Hub's root.")


router = APIRouter(dependencies=[Depends(_require_control)])
_FAULTS = TypeAdapter(list[Fault])


@router.post("/_test/faults")
async def plan_faults(request: Request) -> list[dict[str, Any]]:
    """Replace the planned failures by the given list; an empty list ends them all."""
    given = parse_json(await whole(request, 1 << 20))
    try:
        faults = _FAULTS.validate_python(given)
    except ValidationError as error:
        problem = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise bad_request(f"Invalid fault: {where}: {problem['msg']}") from None
    plan: FaultPlan = request.app.state.faults
    plan.replace(faults)
    return plan.pending()


@router.get("/_test/faults")
def pending_faults(request: Request) -> list[dict[str, Any]]:
    """The failures that have not happened yet."""
    plan: FaultPlan = request.app.state.faults
    return plan.pending()


@router.get("/_test/log")
def read_log(request: Request, clear: bool = False) -> list[dict[str, Any]]:
    """The requests so far, oldest first; `clear=1` forgets them afterwards."""
    log: RequestLog = request.app.state.requests
    return log.read(clear=clear)

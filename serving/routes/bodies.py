"""What the routes share: strict bodies, and the state of the server.

What gives the state is `async` though there is nothing to wait for: FastAPI runs what is not on another
thread, for every request.
"""

from __future__ import annotations

from fastapi import Request
from pydantic import BaseModel, ConfigDict

from serving.answers import Answerer
from serving.state import ServerState


class Body(BaseModel):
    """A JSON body: nothing is converted; keys that only other servers know are ignored."""

    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)


async def state_of(request: Request) -> ServerState:
    """Return what the application holds."""
    state: ServerState = request.app.state.server
    return state


async def answerer_of(request: Request) -> Answerer:
    """Return what answers texts."""
    return (await state_of(request)).answerer

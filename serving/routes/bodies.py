"""What the routes share: strict bodies, and the state of the server.

What gives the state is `async` though there is nothing to wait for: FastAPI runs what is not on another
thread, for every request.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from inference.explain import Method
from serving.answers import Answerer
from serving.state import ServerState

Explain = Annotated[
    bool | Method,
    Field(
        description="add `words`: what each word did for the label; true for leave-one-out, "
        '"shapley" for Shapley values, which take longer'
    ),
]


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


def method_of(wish: bool | Method) -> Method | None:
    """Return how words shall be explained, None when that was not asked for."""
    if isinstance(wish, bool):
        return "leave-one-out" if wish else None
    return wish

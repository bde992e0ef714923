"""A bound on what one request may send: without it, a text of gigabytes is in memory before it is refused."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """ASGI middleware that answers 413 to a request whose body has more than `most` bytes."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        """Stand before `app`."""
        self.app, self.most = app, most
        self.refusal = f"a request may have at most {most:,} bytes"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count what comes; where its length is told beforehand, refuse at once."""
        if scope["type"] == "http" and _told_length(scope) > self.most:
            await PlainTextResponse(self.refusal, status_code=413)(scope, receive, send)
            return
        counted = 0

        async def count() -> Message:
            nonlocal counted
            message = await receive()
            counted += len(message.get("body", b""))
            if counted > self.most:
                raise HTTPException(413, self.refusal)
            return message

        await self.app(scope, count if scope["type"] == "http" else receive, send)


def _told_length(scope: Scope) -> int:
    told = dict(scope["headers"]).get(b"content-length", b"0")
    return int(told) if told.isdigit() and len(told) < 20 else 0

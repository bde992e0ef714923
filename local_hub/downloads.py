"""Sending a file: whole or a byte range, streamed in pieces so that memory stays flat."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread
from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from local_hub.errors import HubError

PIECE = 1 << 20
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True)
class Span:
    """The bytes from `start` up to, not including, `end`."""

    start: int
    end: int


def requested_span(header: str | None, size: int) -> Span | None:
    """The single byte range that a Range header asks for; None means everything; 416 if it lies outside.

    Several ranges at once are answered with the whole file, as RFC 9110 allows.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if not match or match[1] == match[2] == "":
        return None
    if match[1] == "":
        span = Span(max(0, size - int(match[2])), size)
    else:
        span = Span(int(match[1]), min(size, int(match[2]) + 1) if match[2] else size)
    if span.start >= span.end:
        headers = {"Content-Range": f"bytes */{size}"}
        raise HubError(
            416, f"The range {match[0]} lies outside of the {size} bytes of this file.", headers=headers
        )
    return span


async def _read_file(path: Path, span: Span) -> AsyncIterator[bytes]:
    file = await to_thread.run_sync(path.open, "rb")
    try:
        await to_thread.run_sync(file.seek, span.start)
        left = span.end - span.start
        while left > 0:
            piece: bytes = await to_thread.run_sync(file.read, min(PIECE, left))
            if not piece:
                return
            left -= len(piece)
            yield piece
    finally:
        await to_thread.run_sync(file.close)


def send(request: Request, source: Path | bytes, size: int, headers: dict[str, str]) -> Response:
    """Answer with the content, or the range of it that the client asked for; HEAD without the body."""
    span = requested_span(request.headers.get("range"), size)
    answer = {**headers, "Accept-Ranges": "bytes"}
    status = 200
    if span:
        status, answer["Content-Range"] = 206, f"bytes {span.start}-{span.end - 1}/{size}"
    part = span or Span(0, size)
    answer["Content-Length"] = str(part.end - part.start)
    media_type = answer.pop("Content-Type", "application/octet-stream")
    if request.method == "HEAD":
        return Response(status_code=status, headers=answer, media_type=media_type)
    if isinstance(source, bytes):
        return Response(source[part.start : part.end], status, answer, media_type)
    return StreamingResponse(_read_file(source, part), status, answer, media_type)

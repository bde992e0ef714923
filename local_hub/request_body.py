"""Reading request bodies within bounds; whatever cannot be understood is a 400, never a 500."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from local_hub.errors import HubError, bad_request
from local_hub.strict_json import read_json

Model = TypeVar("Model", bound=BaseModel)
MEBIBYTE = 1 << 20
_SLOWEST = 1000  # bytes a second, once the server's patience is spent
_MOST_CHUNKS = 256  # of a piece: many small ones take more memory than the bytes in them


def too_large(limit: int) -> HubError:
    """413: the body is over the limit in bytes."""
    return HubError(413, f"The request body is over {limit} bytes.", headers={"Connection": "close"})


async def chunks(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body as it arrives; 413 once it is over the limit in bytes, 400 if the client goes away."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise too_large(limit)
    total, waited = 0, 0.0
    patience: float = request.app.state.hub.settings.patience
    stream = request.stream()
    while True:
        started = time.monotonic()
        chunk = await _next(stream, patience)
        if chunk is None:
            return
        total, waited = total + len(chunk), waited + time.monotonic() - started
        if waited > patience and total < waited * _SLOWEST:
            raise _too_slow()
        if total > limit:
            raise too_large(limit)
        if chunk:
            yield chunk


async def _next(stream: AsyncIterator[bytes], patience: float) -> bytes | None:
    """The next bytes, None at the end; 408 when they do not come within `patience` seconds."""
    try:
        async with asyncio.timeout(patience):
            return await anext(stream)
    except StopAsyncIteration:
        return None
    except TimeoutError:
        raise _too_slow() from None
    except ClientDisconnect:
        raise bad_request("The client closed the connection before the body was complete.") from None


def _too_slow() -> HubError:
    return HubError(408, "The request body did not arrive in time.", headers={"Connection": "close"})


async def pieces(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body in pieces of about a mebibyte: small chunks cost more to hand over than to write."""
    gathered, size = list[bytes](), 0
    async for chunk in chunks(request, limit):
        gathered.append(chunk)
        size += len(chunk)
        if size >= MEBIBYTE or len(gathered) == _MOST_CHUNKS:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)


async def unpacked(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body in pieces of at most a mebibyte, decompressed if it is gzip; the limit is for both forms."""
    if request.headers.get("content-encoding", "").lower() not in ("gzip", "x-gzip"):
        async for piece in pieces(request, limit):
            yield piece
        return
    unpack, total = zlib.decompressobj(16 + zlib.MAX_WBITS), 0
    async for packed in pieces(request, limit):
        while packed and not unpack.eof:
            piece, packed = _unpack(unpack, packed)
            total += len(piece)
            if total > limit:
                raise too_large(limit)
            yield piece
        if packed or unpack.unused_data:
            raise bad_request("The request body goes on behind its gzip stream.")
    if not unpack.eof:
        raise bad_request("The gzip stream of the request body is cut off.")


def _unpack(unpack: zlib._Decompress, packed: bytes) -> tuple[bytes, bytes]:
    """At most a mebibyte of what the bytes unfold to, and the bytes that are left for the next call."""
    try:
        piece = unpack.decompress(packed, MEBIBYTE)
    except zlib.error:
        raise bad_request("The request body is not valid gzip.") from None
    return piece, unpack.unconsumed_tail


async def feed(request: Request, limit: int, sink: Callable[[bytes], object]) -> None:
    """Hand the body to `sink` piece by piece in a thread, the next one arriving while the last is written."""
    pending: asyncio.Future[object] | None = None
    try:
        async for piece in pieces(request, limit):
            if pending:
                await pending
            pending = asyncio.get_running_loop().run_in_executor(None, sink, piece)
    finally:
        if pending:
            await pending  # the caller is about to close what the sink writes to


async def whole(request: Request, limit: int) -> bytes:
    """The whole body, for small ones."""
    return b"".join([chunk async for chunk in chunks(request, limit)])


async def lines(request: Request, *, line_limit: int, limit: int) -> AsyncIterator[bytes]:
    """The body line by line (the last may lack its newline); memory holds one line."""
    rest = bytearray()
    searched = 0
    async for chunk in chunks(request, limit):
        rest += chunk
        while (end := rest.find(b"\n", searched)) >= 0:
            yield bytes(rest[:end])
            del rest[: end + 1]
            searched = 0
        searched = len(rest)
        if searched > line_limit:
            raise too_large(line_limit)
    if rest:
        yield bytes(rest)


def parse_json(body: bytes) -> Any:  # noqa: ANN401  (any JSON)
    """The JSON value of a body; 400 if it is none, or one that no answer could repeat."""
    try:
        return read_json(body or b"{}")
    except ValueError as error:
        problem = "" if isinstance(error, UnicodeError) else f": {error}"
        raise bad_request(f"The request body is not valid JSON{problem}.") from None


def parse_model(model: type[Model], body: bytes) -> Model:
    """The body as the model; 400 names the first field that is wrong."""
    value = parse_json(body)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problem = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"]) or "body"
        raise bad_request(f"Invalid request body: {where}: {problem['msg']}") from None


def json_body(model: type[Model], *, limit: int = 4 * MEBIBYTE) -> Any:  # noqa: ANN401  (FastAPI's marker)
    """A FastAPI dependency that gives the JSON body as `model`, whatever its content type says."""

    async def read(request: Request) -> Model:
        return parse_model(model, await whole(request, limit))

    reader: Callable[[Request], Awaitable[Model]] = read
    return Depends(reader)

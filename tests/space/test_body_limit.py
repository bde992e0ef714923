from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from body_limit import BodyLimit
from fastapi import FastAPI, Request
from starlette.middleware import Middleware

APP = FastAPI(middleware=[Middleware(BodyLimit, most=1_000)])


@APP.post("/echo")
async def echo(request: Request) -> int:
    return len(await request.body())


@APP.post("/typed")
async def typed(body: dict[str, str]) -> int:
    return len(body["text"])


def post(path: str, content: bytes | AsyncIterator[bytes]) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(APP)
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            headers = {"Content-Type": "application/json"}
            return await client.post(path, content=content, headers=headers)

    return asyncio.run(ask())


def test_a_body_within_the_limit_comes_through_whole() -> None:
    assert post("/echo", b"x" * 1_000).json() == 1_000
    assert post("/typed", b'{"text": "up"}').json() == 2


@pytest.mark.parametrize("path", ["/echo", "/typed"])
def test_a_length_over_the_limit_is_refused_before_it_is_read(path: str) -> None:
    answer = post(path, b"x" * 1_001)
    assert (answer.status_code, answer.text) == (413, "a request may have at most 1,000 bytes")


@pytest.mark.parametrize("path", ["/echo", "/typed"])
def test_a_length_that_is_not_told_is_counted(path: str) -> None:
    sent = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1_000:
            sent += 1
            yield b"x" * 100

    assert post(path, pieces()).status_code == 413
    assert sent < 20

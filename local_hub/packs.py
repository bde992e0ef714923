"""A look at a pushed pack before anything is unpacked in memory: a megabyte of zlib can hold a gigabyte.

The format: https://git-scm.com/docs/pack-format. Sizes stand in front of the compressed data and are checked
against it, so what is counted here is what dulwich will meet.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import IO

from local_hub.errors import HubError, bad_request

_DELTA_OF_OFFSET, _DELTA_OF_ID = 6, 7
_PIECE = 1 << 16
_ID_BYTES = 20
_HEADER_BYTES = 20  # holds the two sizes that a delta starts with


@dataclass(frozen=True)
class PackLimits:
    """What a push may hold when unpacked: objects, bytes of the largest and of all together.

    Histories of text pack well, and dulwich unpacks some 50 MB in a second: so there is a free part, and
    beyond it a share for what was really sent.
    """

    objects: int = 500_000
    object_bytes: int = 64 << 20
    free_bytes: int = 256 << 20
    ratio: int = 16


def check_push_body(body: IO[bytes], limits: PackLimits) -> None:
    """413 when the pack behind the commands of a push unfolds beyond the limits; reads from the start on.

    400 when it is cut off or broken. Leaves the file where it began.
    """
    body.seek(0)
    try:
        if _skip_commands(body):
            _check_pack(body, limits)
    finally:
        body.seek(0)


def _skip_commands(body: IO[bytes]) -> bool:
    """Go behind the packet lines up to the flush; False if nothing follows, as when a branch is deleted."""
    while (length := body.read(4)) != b"0000":
        try:
            body.seek(max(0, int(length, 16) - 4), 1)
        except ValueError:
            return False  # no packet line: dulwich says what is wrong
    following = body.read(1)
    body.seek(-len(following), 1)
    return bool(following)


def _check_pack(body: IO[bytes], limits: PackLimits) -> None:
    header = body.read(12)
    if header[:4] != b"PACK" or len(header) < 12:
        raise bad_request("The push contains no pack.")
    count, total = int.from_bytes(header[8:], "big"), 0
    allowed = limits.free_bytes + limits.ratio * _length(body)
    if count > limits.objects:
        raise _too_much(f"{count} objects", f"{limits.objects}")
    for _ in range(count):
        size = _check_object(body, limits.object_bytes)
        total += size
        if total > allowed:
            raise _too_much(f"over {allowed} bytes", f"{allowed}")


def _length(body: IO[bytes]) -> int:
    place = body.tell()
    length = body.seek(0, 2)
    body.seek(place)
    return length


def _check_object(body: IO[bytes], limit: int) -> int:
    """The bytes that an object has in the end; a delta is both read and applied, so the larger one counts."""
    kind, size = _object_header(body)
    if kind == _DELTA_OF_ID:
        body.read(_ID_BYTES)
    elif kind == _DELTA_OF_OFFSET:
        while _byte(body) & 0x80:
            pass
    if size > limit:
        raise _too_much(f"an object of {size} bytes", f"{limit}")
    start = _inflate(body, size)
    if kind in (_DELTA_OF_ID, _DELTA_OF_OFFSET):
        _, place = _delta_size(start, 0)
        size = max(size, _delta_size(start, place)[0])
    if size > limit:
        raise _too_much(f"an object of {size} bytes", f"{limit}")
    return size


def _object_header(body: IO[bytes]) -> tuple[int, int]:
    byte = _byte(body)
    kind, size, shift = byte >> 4 & 7, byte & 15, 4
    while byte & 0x80:
        byte = _byte(body)
        size |= (byte & 0x7F) << shift
        shift += 7
        if shift > 60:
            raise bad_request("The pack contains an object without an end of its size.")
    return kind, size


def _byte(body: IO[bytes]) -> int:
    byte = body.read(1)
    if not byte:
        raise bad_request("The pack is cut off.")
    return byte[0]


def _inflate(body: IO[bytes], size: int) -> bytes:
    """Read one compressed object of `size` bytes, a piece at a time, and return how it starts."""
    unpack, start, done = zlib.decompressobj(), b"", 0
    try:
        while not unpack.eof:
            packed = unpack.unconsumed_tail or body.read(min(_PIECE, size - done + 64))
            piece = unpack.decompress(packed, _PIECE)
            start = start or piece[:_HEADER_BYTES]
            done += len(piece)
            if done > size or (not packed and not piece):
                raise bad_request("The pack contains an object that is not as long as it says.")
    except zlib.error:
        raise bad_request("The pack contains an object that cannot be decompressed.") from None
    if done != size:
        raise bad_request("The pack contains an object that is not as long as it says.")
    body.seek(-len(unpack.unused_data), 1)
    return start


def _delta_size(start: bytes, place: int) -> tuple[int, int]:
    """One of the two sizes in front of a delta, and where it ends."""
    size = shift = 0
    while place < len(start):
        byte = start[place]
        size, shift, place = size | (byte & 0x7F) << shift, shift + 7, place + 1
        if not byte & 0x80:
            return size, place
    raise bad_request("The pack contains a delta without its sizes.")


def _too_much(got: str, allowed: str) -> HubError:
    return HubError(
        413,
        f"The push unfolds to {got}, allowed are {allowed}. Push less at once, and large files with Git LFS.",
    )

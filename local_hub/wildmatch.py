"""Git's path patterns, matched in a number of steps that grows with pattern times path, never faster.

A pattern as one regular expression would backtrack: `*a*a*a*a*a*b` took 21 seconds on a path of a's. Here
each segment is an expression whose stars give nothing back, and `**` goes back only to its latest place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from dulwich.wildmatch import MalformedPattern, translate_bracket_expression

from local_hub.errors import bad_request

_STAR, _SLASH = b"*", b"/"
_ANY_SEGMENT = re.compile(rb"[^/]+")
_Segment = re.Pattern[bytes] | None  # None is `**`: any number of segments

# About two seconds; the 256 files that a client asks about at once, with 2,000 rules, need an eighth of it.
MAX_STEPS = 4_000_000


class Budget:
    """How many segments one request may still compare."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.left = steps

    def spend(self) -> None:
        """Count one comparison; 400 when the patterns are too many for the paths."""
        self.left -= 1
        if self.left < 0:
            raise bad_request(
                "There are too many patterns in .gitattributes and .gitignore for these files; "
                "shorten them, or ask about fewer files at once."
            )


class PathPattern:
    """One pattern; MalformedPattern where git would let it match nothing."""

    def __init__(self, pattern: bytes) -> None:
        self._anywhere = _SLASH not in pattern
        segments = list(_segments(pattern.removeprefix(_SLASH)))
        if self._anywhere:
            segments = [segment or _ANY_SEGMENT for segment in segments]
        elif segments[-1] is None:  # `a/**` is what lies inside of a, not a itself
            segments.append(_ANY_SEGMENT)
        self._segments = [
            one for previous, one in pairwise([_ANY_SEGMENT, *segments]) if one or previous
        ]  # `**/**` is `**`

    def matches(self, path: bytes, budget: Budget) -> bool:
        """Whether the path, without slashes at its ends, is meant."""
        parts = path.split(_SLASH)
        return _match(self._segments, parts[-1:] if self._anywhere else parts, budget)


def _match(segments: list[_Segment], parts: list[bytes], budget: Budget) -> bool:
    """Compare by segments; after a mismatch only the latest `**` takes one part more."""
    at = place = 0
    latest: tuple[int, int] | None = None
    while place < len(parts):
        budget.spend()
        more = at < len(segments)
        segment = segments[at] if more else None
        if more and segment is None:
            latest = (at, place)
            at += 1
        elif segment and segment.fullmatch(parts[place]):
            at, place = at + 1, place + 1
        elif latest is not None:
            latest = (latest[0], latest[1] + 1)
            at, place = latest[0] + 1, latest[1]
        else:
            return False
    return at == len(segments)


def _segments(pattern: bytes) -> Iterator[_Segment]:
    tokens: list[bytes] = []
    for token in (*_tokens(pattern), _SLASH):
        if token != _SLASH:
            tokens.append(token)
            continue
        stars = len(tokens) > 1 and set(tokens) == {_STAR}
        yield None if stars else _expression(tokens)
        tokens = []


def _expression(tokens: list[bytes]) -> re.Pattern[bytes]:
    """The segment: every star but the last takes the least that fits and never gives back."""
    pieces: list[list[bytes]] = [[]]
    for token in tokens:
        if token != _STAR:
            pieces[-1].append(token)
        elif pieces[-1] or len(pieces) == 1:
            pieces.append([])
    first, *middle = (b"".join(piece) for piece in pieces)
    if not middle:
        return re.compile(first)
    *middle, last = middle
    return re.compile(first + b"".join(b"(?>[^/]*?%b)" % piece for piece in middle) + b"[^/]*" + last)


def _tokens(pattern: bytes) -> Iterator[bytes]:
    """Stars, slashes, and expressions for one byte each."""
    place = 0
    while place < len(pattern):
        token = pattern[place : place + 1]
        place += 1
        if token in (_STAR, _SLASH):
            yield token
        elif token == b"?":
            yield b"[^/]"
        elif token == b"[":
            place, expression = translate_bracket_expression(pattern, place)
            yield expression
        elif token == b"\\" and place < len(pattern):
            yield re.escape(pattern[place : place + 1])
            place += 1
        else:
            yield re.escape(token)


def read_pattern(pattern: bytes) -> PathPattern | None:
    """The pattern, None for one that git lets match nothing."""
    try:
        return PathPattern(pattern)
    except MalformedPattern:
        return None

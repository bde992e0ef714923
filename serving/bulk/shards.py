"""How an input is cut: its files into shards that can be read side by side, the rows of a shard into parts.

The cut follows from the plan alone. So every engine makes the same parts, each of which is there or is not.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from serving.bulk.places import Place
from serving.bulk.plan import Plan
from serving.bulk.rows import ReadPosition, TextRow, read_rows


@dataclass(frozen=True)
class Part:
    """Some rows on end. `read` counts the bytes of the inputs since the part before it."""

    name: str
    rows: list[TextRow]
    read: int
    done: bool = False
    """Whether an earlier run has written it; then `rows` is empty."""


def make_shards(inputs: list[Place], most: int) -> list[list[Place]]:
    """Return the inputs in their order, as many on end as are `most` bytes together; a large one alone."""
    shards: list[list[Place]] = []
    size = 0
    for place in inputs:
        if not shards or size + (place.size or 0) > most:
            shards.append([])
            size = 0
        shards[-1].append(place)
        size += place.size or 0
    return shards


def part_name(shard: int, index: int = 0) -> str:
    """Return the file name of a part by its shard and its number in it."""
    return f"part-{shard:05d}-{index:05d}.parquet"


def shard_of(name: str) -> str:
    """Return what the names of all parts of a shard begin with."""
    return name.rpartition("-")[0]


def read_parts(number: int, shard: list[Place], plan: Plan, done: Container[str]) -> Iterator[Part]:
    """Yield the parts of shard `number` in their order. BulkError when a file cannot be read."""
    position, before = ReadPosition(), 0
    for index, rows in enumerate(_cut(_rows(shard, plan, position), plan)):
        name = part_name(number, index)
        read, before = position.bytes - before, position.bytes
        yield Part(name, [], read, done=True) if name in done else Part(name, rows, read)


def _rows(shard: list[Place], plan: Plan, position: ReadPosition) -> Iterator[TextRow]:
    for place in shard:
        position.begin(place)
        yield from read_rows(place, plan.text, plan.id_column, position)


def _cut(rows: Iterator[TextRow], plan: Plan) -> Iterator[list[TextRow]]:
    part: list[TextRow] = []
    characters = 0
    for row in rows:
        part.append(row)
        characters += len(row.text or "")
        if len(part) == plan.part_rows or characters >= plan.part_characters:
            yield part
            part, characters = [], 0
    if part:
        yield part

"""One process on this machine: rows are read while those before them are classified on all cores."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from serving.bulk.parts import Scores, make_table, slice_texts, write_part
from serving.bulk.places import Place
from serving.bulk.plan import Plan
from serving.bulk.progress import Tell
from serving.bulk.shards import Part, read_parts
from serving.model import ServedModel

AHEAD = 1  # parts that wait for a thread, so that none is idle while a part is written


def score_local(
    threads: int, model: ServedModel, plan: Plan, shards: list[list[Place]], output: Place, done: set[str],
    tell: Tell,
) -> int:  # fmt: skip
    """Write all parts but those in `done`; `tell` hears of each. Return the rows written."""
    written = read = 0
    with ThreadPoolExecutor(threads, thread_name_prefix="classify") as pool:
        for part, found in _classified(model, plan, shards, done, pool):
            read += part.read
            if part.done:
                continue
            write_part(output, part.name, make_table(model, part.rows, [one.result() for one in found]))
            written += len(part.rows)
            tell(written, read)
    return written


Answers = list[Future[Scores]]


def _classified(
    model: ServedModel, plan: Plan, shards: list[list[Place]], done: set[str], pool: ThreadPoolExecutor
) -> Iterator[tuple[Part, Answers]]:
    """Yield the parts in their order, each once AHEAD more of them are under way."""
    pending: deque[tuple[Part, Answers]] = deque()
    for number, shard in enumerate(shards):
        for part in read_parts(number, shard, plan, done):
            slices = slice_texts(part.rows)
            pending.append((part, [pool.submit(model.classifier.predict, texts) for texts in slices]))
            if len(pending) > AHEAD:
                yield pending.popleft()
    yield from pending

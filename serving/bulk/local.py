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


def score_local(
    threads: int, model: ServedModel, plan: Plan, shards: list[list[Place]], output: Place, done: set[str],
    tell: Tell,
) -> int:  # fmt: skip
    """Write all parts but those in `done`; `tell` hears of each. Return the rows written."""
    written = read = 0
    with ThreadPoolExecutor(threads, thread_name_prefix="classify") as pool:
        for part, found in _classified(model, plan, shards, done, pool, threads):
            read += part.read
            if part.done:
                continue
            write_part(output, part.name, make_table(model, part.rows, [one.result() for one in found]))
            written += len(part.rows)
            tell(written, read)
    return written


Answers = list[Future[Scores]]


def _classified(
    model: ServedModel, plan: Plan, shards: list[list[Place]], done: set[str], pool: ThreadPoolExecutor,
    threads: int,
) -> Iterator[tuple[Part, Answers]]:  # fmt: skip
    """Yield the parts in their order, each once those behind it keep all threads busy while it is written."""
    pending: deque[tuple[Part, Answers]] = deque()
    behind = 0  # slices of the parts behind the oldest; a part counts as one where it has none
    for number, shard in enumerate(shards):
        for part in read_parts(number, shard, plan, done):
            found = [pool.submit(model.classifier.predict, texts) for texts in slice_texts(part.rows)]
            behind += max(1, len(found)) if pending else 0
            pending.append((part, found))
            while behind >= threads:
                yield pending.popleft()
                behind -= max(1, len(pending[0][1]))
    yield from pending

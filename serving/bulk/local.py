"""One process on this machine: rows are read while those before them are classified on all cores."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from serving.bulk.parts import make_table, write_part
from serving.bulk.places import Place
from serving.bulk.plan import Plan
from serving.bulk.progress import Tell
from serving.bulk.rows import ReadPosition, TextRow, read_rows
from serving.model import ServedModel

SLICE = 4096  # texts that a thread classifies at a time; the classifier sorts as many by length


def score_local(
    model: ServedModel, plan: Plan, inputs: list[Place], output: Place, done: list[int], threads: int,
    tell: Tell,
) -> int:  # fmt: skip
    """Write all parts but those in `done`; `tell` hears of each. Return the rows written.

    Parts are written in order, so those that are there are the first ones, but for a hole that a person made;
    what stands behind a hole is written again, and is the same.
    """
    first = next(number for number in itertools.count() if number not in set(done))
    position = ReadPosition()
    rows = _rows(inputs, plan, position, skip=first * plan.part_rows)
    written = 0
    with ThreadPoolExecutor(threads, thread_name_prefix="classify") as pool:
        for number in itertools.count(first):
            part = list(itertools.islice(rows, plan.part_rows))
            if not part:
                return written
            texts = [row.text for row in part if row.text is not None]
            slices = [texts[start : start + SLICE] for start in range(0, len(texts), SLICE)]
            found = list(pool.map(model.classifier.predict, slices))
            shape = (0, len(model.labels))
            probabilities = np.concatenate(found) if found else np.empty(shape, dtype=np.float32)
            write_part(output, number, make_table(model, part, probabilities))
            written += len(part)
            tell(written, position.bytes)
    return written


def _rows(inputs: list[Place], plan: Plan, position: ReadPosition, skip: int) -> Iterator[TextRow]:
    for place in inputs:
        position.begin(place)
        for row in read_rows(place, plan.text, plan.id_column, position):
            if skip:
                skip -= 1
                continue
            yield row

"""A part: a Parquet file with the answers to one run of rows; there whole or not at all."""

from __future__ import annotations

import uuid

import numpy as np
import pyarrow
import pyarrow.parquet as parquet
from numpy.typing import NDArray
from pyarrow import fs

from serving.bulk.places import Place
from serving.bulk.rows import TextRow
from serving.model import ServedModel

Scores = NDArray[np.float32]
SLICE = 4096  # texts that a thread classifies at a time; the classifier sorts as many by length
PARTIAL = ".partial"


def slice_texts(rows: list[TextRow]) -> list[list[str]]:
    """Return the texts of the rows that have one, in their order, SLICE at a time."""
    texts = [row.text for row in rows if row.text is not None]
    return [texts[start : start + SLICE] for start in range(0, len(texts), SLICE)]


def make_table(model: ServedModel, rows: list[TextRow], found: list[Scores]) -> pyarrow.Table:
    """Return rows with their answers; `found` are the probabilities `(m, n_labels)` of each slice."""
    answered = np.flatnonzero([row.text is not None for row in rows])
    scores = np.full((len(rows), len(model.labels)), np.nan, dtype=np.float32)
    if found:
        scores[answered] = np.concatenate(found)
    unread = np.ones(len(rows), dtype=bool)
    unread[answered] = False
    labels = np.array([*model.labels], dtype=object)[scores.argmax(axis=1)]
    best = scores.max(axis=1)
    columns = [pyarrow.array(scores[:, index], mask=unread) for index in range(len(model.labels))]
    by_label = pyarrow.StructArray.from_arrays(columns, names=model.labels, mask=pyarrow.array(unread))
    return pyarrow.table(
        {
            "id": pyarrow.array([row.id for row in rows], pyarrow.string()),
            "text": pyarrow.array([row.text for row in rows], pyarrow.string()),
            "label": pyarrow.array(labels, pyarrow.string(), mask=unread),
            "probabilities": by_label,
            "unsure": pyarrow.array(best < model.abstain_below, mask=unread),
            "problem": pyarrow.array([row.problem for row in rows], pyarrow.string()),
        }
    )


def write_part(output: Place, name: str, table: pyarrow.Table) -> None:
    """Write a part. It gets its name when it is whole; an object store does so by itself."""
    if not isinstance(output.system, fs.LocalFileSystem):
        parquet.write_table(table, output.child(name).path, filesystem=output.system)
        return
    # a name of its own: where a machine was given up but still works, two may write the same part
    partial = output.child(f".{name}.{uuid.uuid4().hex}{PARTIAL}").path
    parquet.write_table(table, partial, filesystem=output.system)
    output.system.move(partial, output.child(name).path)


def remove_partial(output: Place) -> None:
    """Remove what a run that was killed has left half written."""
    for info in output.system.get_file_info(fs.FileSelector(output.path)):
        if info.base_name.startswith(".part-") and info.base_name.endswith(PARTIAL):
            output.system.delete_file(info.path)

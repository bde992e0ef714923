"""A part: a Parquet file with the answers to one run of rows; there whole or not at all."""

from __future__ import annotations

import numpy as np
import pyarrow
import pyarrow.parquet as parquet
from numpy.typing import NDArray
from pyarrow import fs

from serving.bulk.places import Place
from serving.bulk.rows import TextRow
from serving.model import ServedModel


def make_table(model: ServedModel, rows: list[TextRow], probabilities: NDArray[np.float32]) -> pyarrow.Table:
    """Return rows with their answers; `probabilities` `(m, n_labels)` are of the rows that have a text."""
    answered = np.flatnonzero([row.text is not None for row in rows])
    scores = np.full((len(rows), len(model.labels)), np.nan, dtype=np.float32)
    scores[answered] = probabilities
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


def write_part(output: Place, number: int, table: pyarrow.Table) -> None:
    """Write part `number`. It gets its name when it is whole; an object store does so by itself."""
    name = f"part-{number:05d}.parquet"
    if not isinstance(output.system, fs.LocalFileSystem):
        parquet.write_table(table, output.child(name).path, filesystem=output.system)
        return
    partial = output.child(f".{name}.partial").path
    parquet.write_table(table, partial, filesystem=output.system)
    output.system.move(partial, output.child(name).path)

"""Ray Data: parts are read, classified by a pool of actors and written, on this machine or on a cluster.

The parts are those of `local`, under the same names, so either engine goes on with what the other began. That
a part is there is the checkpoint. Ray Data has checkpoints too (`CheckpointConfig`, beta in 2.60), but they
want an id that no two rows share, which a column of the user's need not be; they hold the ids of all finished
rows in memory, where a billion do not fit; and they name files by chance: `local` could not go on with them.
"""

from __future__ import annotations

import logging
import os
import pickle
import secrets
import tempfile
import traceback
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

# Read when Ray starts: nothing is sent home, and a warning about actors that comes at each start is left out.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")

import pyarrow
import ray
from ray.data import ActorPoolStrategy, DataContext, Datasource, ReadTask
from ray.data.block import BlockMetadata
from ray.exceptions import AuthenticationError, RayError

from inference.classifier import FILES
from serving.bulk.errors import BulkError
from serving.bulk.parts import make_table, slice_texts, write_part
from serving.bulk.places import Place
from serving.bulk.plan import Plan
from serving.bulk.progress import Tell
from serving.bulk.shards import part_name, read_parts, shard_of
from serving.model import METRICS, ModelError, ServedModel, load_model

CODE = Path(__file__).parents[2]
HERE = "local"  # Ray's word for a cluster of its own on this machine


def score_ray(
    address: str | None, actors: int | None, model: ServedModel, plan: Plan, shards: list[list[Place]],
    output: Place, done: set[str], tell: Tell,
) -> int:  # fmt: skip
    """Write all parts but those in `done`; `tell` hears of each. Return the rows written.

    BulkError: the cluster cannot be reached, or a machine of it cannot read an input or write a part.
    """
    written = read = 0
    try:
        _connect(address, actors)
        for row in _answers(actors, model, plan, shards, output, done).iter_rows():
            written, read = written + row["rows"], read + row["read"]
            if row["rows"]:
                tell(written, read)
    except (RayError, ConnectionError, RuntimeError, ValueError) as error:
        raise BulkError(_reason(error)) from error
    finally:
        ray.shutdown()
    return written


def _connect(address: str | None, actors: int | None) -> None:
    """Join a cluster, or start one here; its machines get this code, but not what that imports."""
    code = {"py_modules": [str(CODE / room) for room in ("inference", "serving")]}
    here: dict[str, Any] = {} if address else {"num_cpus": actors, "include_dashboard": False}
    if not address:
        # else Ray leaves a token in the home folder, for which every `ray start` asks from then on
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # errors come here, and are told in one line
    try:
        ray.init(address or HERE, runtime_env=code, log_to_driver=False, logging_level="critical", **here)
    except Exception as error:  # where its processes are slow to start, Ray raises nothing more special
        raise BulkError(_why_not_connected(address, error)) from error


def _why_not_connected(address: str | None, error: Exception) -> str:
    if address and AuthenticationError.__name__ in "".join(traceback.format_exception(error)):
        return f"{address}: the cluster wants its token; set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN"
    return _reason(error)


def _answers(
    actors: int | None, model: ServedModel, plan: Plan, shards: list[list[Place]], output: Place,
    done: set[str],
) -> ray.data.Dataset:  # fmt: skip
    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.raise_original_map_exception = True  # else it is wrapped, and what went wrong is lost on the way
    context.target_max_block_size = 1  # a block is one part: Ray would put some together, for a single actor
    parts = ray.data.read_datasource(
        PartSource(plan, shards, done),
        override_num_blocks=len(shards),  # else Ray splits what few tasks read, and a row cannot be split
        num_cpus=0,  # reading takes a few per cent of a core
    )
    most = actors or int(ray.cluster_resources().get("CPU", 1))
    return parts.map_batches(
        PartScorer,
        fn_constructor_args=(_pack(model), model.name, plan, output),
        batch_size=1,
        batch_format="pyarrow",
        compute=ActorPoolStrategy(min_size=1, max_size=most),
        num_cpus=1,
    )


class PartSource(Datasource):  # type: ignore[misc]  # the library leaves it untyped
    """Reads parts, a task a shard; each part is one row, which no operator can cut."""

    def __init__(self, plan: Plan, shards: list[list[Place]], done: set[str]) -> None:
        super().__init__()
        self._plan, self._shards, self._done = plan, shards, done

    def estimate_inmemory_data_size(self) -> int | None:
        """Nothing is known of it."""
        return None

    def get_read_tasks(self, parallelism: int, *_: object, **__: object) -> list[ReadTask]:
        """Return a task a shard, whatever `parallelism` was asked for."""
        unknown = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        plan = self._plan.model_copy(update={"inputs": []})  # each task is sent on its own: with all files
        done: dict[str, set[str]] = defaultdict(set)  # and all parts in each, thousands would be gigabytes
        for name in self._done:
            done[shard_of(name)].add(name)
        return [
            ReadTask(partial(_blocks, number, shard, plan, done[shard_of(part_name(number))]), unknown)
            for number, shard in enumerate(self._shards)
        ]


def _blocks(number: int, shard: list[Place], plan: Plan, done: set[str]) -> Iterator[pyarrow.Table]:
    for part in read_parts(number, shard, plan, done):
        yield pyarrow.table({"part": [pickle.dumps(part)]})


def _pack(model: ServedModel) -> dict[str, bytes]:
    """Return the files of the release: the machines of a cluster need not have it, and all have the same."""
    folder = model.classifier.file.parents[1]
    return {
        name: (folder / name).read_bytes()
        for name in (*FILES, model.file, METRICS)
        if (folder / name).is_file()
    }


class PartScorer:
    """Classifies parts and writes them; an actor has one, and one thread."""

    def __init__(self, files: dict[str, bytes], name: str, plan: Plan, output: Place) -> None:
        with tempfile.TemporaryDirectory(prefix="finsent-") as folder:
            for file, content in files.items():
                path = Path(folder, file)
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
            self._model = load_model(folder, name=name)
        assert self._model.sha256 == plan.file_sha256, "this is not the model of the plan"
        self._output = output

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        """Write the one part of a batch; return how many rows it has."""
        part = pickle.loads(batch["part"][0].as_py())
        if not part.done:
            found = [self._model.classifier.predict(texts) for texts in slice_texts(part.rows)]
            write_part(self._output, part.name, make_table(self._model, part.rows, found))
        return pyarrow.table({"rows": [len(part.rows)], "read": [part.read]})


def _reason(error: BaseException) -> str:
    """Return what one of ours says where Ray wraps one, else what went wrong; without the lines Ray adds."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, BulkError | ModelError | OSError) and not isinstance(inner, RayError):
            return str(inner).splitlines()[0]
        inner = getattr(inner, "cause", None) or inner.__cause__
    last = getattr(error, "cause", None) or error
    return f"Ray: {type(last).__name__}: {str(last).strip()}".splitlines()[0]

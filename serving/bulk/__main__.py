"""Classify files of any size and write Parquet files.

\b
python -m serving.bulk runs/quickstart texts.parquet answers/
python -m serving.bulk me/finsent 'logs/*.jsonl.gz' answers/ --text title
python -m serving.bulk runs/quickstart texts.parquet answers/ --resume    continue after an interruption
python -m serving.bulk runs/quickstart s3://in/ s3://out/ --engine ray --address auto    on a cluster
"""  # noqa: D301  (click wants the character itself)

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # the threads here are enough

import typer
from rich.console import Console

from serving.bulk.errors import BulkError
from serving.bulk.local import score_local
from serving.bulk.places import Place, find_inputs, locate_output
from serving.bulk.plan import PART_ROWS, Plan, make_plan, prepare_output
from serving.bulk.progress import Tell, show_progress
from serving.bulk.shards import make_shards
from serving.cores import count_cores
from serving.model import ModelError, ServedModel, load_model

Engine = Literal["local", "ray"]

console = Console(stderr=True, highlight=False)
app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    model: Annotated[str, typer.Argument(metavar="RUN|HUB_ID", help="a run, a release folder or a Hub id")],
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT... OUTPUT", help="files, folders or patterns to read; a folder to write"
        ),
    ],
    text: Annotated[str, typer.Option(help="column or key with the text")] = "text",
    id_column: Annotated[
        str | None, typer.Option("--id", help="column with an id; default: FILE:ROW")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="commit, tag or branch of the model")] = None,
    engine: Annotated[Engine, typer.Option(help="local: this machine; ray: a Ray cluster")] = "local",
    address: Annotated[
        str | None,
        typer.Option(envvar="RAY_ADDRESS", help="address of the Ray cluster; default: start Ray here"),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="threads, or actors with Ray; default: one per core")
    ] = None,
    part_rows: Annotated[int, typer.Option(min=1, help="most rows in a part")] = PART_ROWS,
    resume: Annotated[bool, typer.Option("--resume", help="continue an interrupted run")] = False,
) -> None:
    """Classify every row of the inputs; exit 1 with one line when something is wrong."""
    if len(paths) < 2:
        raise typer.BadParameter("give at least one input and the output folder")
    try:
        score = _engine(engine, address, threads)
        served = load_model(model, revision)
        inputs, output = find_inputs(paths[:-1]), locate_output(paths[-1])
        plan = make_plan(served, inputs, text, id_column, part_rows)
        done = prepare_output(output, plan, resume)
        started = time.monotonic()
        with show_progress(console, sum(one.size or 0 for one in inputs)) as tell:
            rows = score(served, plan, make_shards(inputs, plan.shard_bytes), output, done, tell)
        console.print(f"{rows:,} rows in {time.monotonic() - started:.1f} s", markup=False)
        print(paths[-1])
    except (BulkError, ModelError, OSError) as error:
        console.print(f"serving.bulk: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


Score = Callable[[ServedModel, Plan, list[list[Place]], Place, set[str], Tell], int]


def _engine(engine: Engine, address: str | None, threads: int | None) -> Score:
    """Return what classifies. BulkError when Ray is missing."""
    if engine == "local":
        return partial(score_local, threads or count_cores())
    try:
        from serving.bulk.cluster import score_ray
    except ImportError as error:
        needed = "pip install -r serving/requirements-ray.txt"
        raise BulkError(f"--engine ray: {error}; run {needed}, or leave --engine out") from None
    return partial(score_ray, address, threads)


if __name__ == "__main__":
    app()

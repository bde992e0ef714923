"""Classify files of any size.

\b
python -m serving.bulk runs/quickstart texts.parquet answers/             a folder of Parquet parts
python -m serving.bulk me/finsent 'logs/*.jsonl.gz' answers/ --text title
python -m serving.bulk runs/quickstart texts.parquet answers/ --resume    after an interruption
"""  # noqa: D301  (click wants the character itself)

from __future__ import annotations

import os
import time
from typing import Annotated

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # the threads here are enough

import typer
from rich.console import Console

from serving.bulk.errors import BulkError
from serving.bulk.local import score_local
from serving.bulk.places import find_inputs, locate
from serving.bulk.plan import PART_ROWS, make_plan, prepare_output
from serving.bulk.progress import show_progress
from serving.cores import count_cores
from serving.model import ModelError, load_model

console = Console(stderr=True, highlight=False)
app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    model: Annotated[str, typer.Argument(metavar="RUN|HUB_ID", help="a run, a release folder or a Hub id")],
    paths: Annotated[
        list[str], typer.Argument(metavar="INPUT... OUTPUT", help="files, folders, patterns; a folder")
    ],
    text: Annotated[str, typer.Option(help="column or key that holds the text")] = "text",
    id_column: Annotated[str | None, typer.Option("--id", help="column with an id; else FILE:ROW")] = None,
    revision: Annotated[str | None, typer.Option(help="commit, tag or branch of the model")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="one a core by default")] = None,
    part_rows: Annotated[int, typer.Option(min=1, help="rows in a part")] = PART_ROWS,
    resume: Annotated[bool, typer.Option("--resume", help="go on where a run was broken off")] = False,
) -> None:
    """Classify every row of the inputs; exit 1 with one line when something is wrong."""
    if len(paths) < 2:
        raise typer.BadParameter("name at least one input and the output folder")
    try:
        served = load_model(model, revision)
        inputs, output = find_inputs(paths[:-1]), locate(paths[-1])
        plan = make_plan(served, inputs, text, id_column, part_rows)
        done = prepare_output(output, plan, resume)
        started = time.monotonic()
        with show_progress(console, sum(one.size or 0 for one in inputs)) as tell:
            rows = score_local(served, plan, inputs, output, done, threads or count_cores(), tell)
        console.print(f"{rows:,} rows in {time.monotonic() - started:.1f} s", markup=False)
        print(paths[-1])
    except (BulkError, ModelError, OSError) as error:
        console.print(f"serving.bulk: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()

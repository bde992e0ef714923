"""What a bulk run is: the model, the inputs and how rows are put into parts. Kept beside the parts.

A run goes on only where its plan is the same, so the parts of one folder are of one model and one input.
"""

from __future__ import annotations

import json
from typing import Any

from pyarrow import fs
from pydantic import BaseModel, ConfigDict, ValidationError

from serving.bulk.errors import BulkError
from serving.bulk.parts import PARTIAL, remove_partial
from serving.bulk.places import Place
from serving.model import ServedModel

PLAN = "_plan.json"  # readers of a folder of Parquet pass over what begins with _
PART_ROWS = 50_000
PART_CHARACTERS = 32_000_000  # a part of long texts has fewer rows: some parts are in memory at a time
SHARD_BYTES = 64_000_000  # small files share a shard, so that parts are not small too


class InputFile(BaseModel):
    """An input as it was when the run began."""

    model_config = ConfigDict(frozen=True)

    path: str
    size: int | None
    changed: int | None


class Plan(BaseModel):
    """All that decides what stands in which part."""

    model_config = ConfigDict(frozen=True)

    model: str
    file_sha256: str
    labels: list[str]
    abstain_below: float | None
    text: str
    id_column: str | None
    part_rows: int
    part_characters: int = PART_CHARACTERS
    shard_bytes: int = SHARD_BYTES
    inputs: list[InputFile]


def make_plan(
    model: ServedModel, inputs: list[Place], text: str, id_column: str | None, part_rows: int = PART_ROWS
) -> Plan:
    """Return the plan of a run over some inputs."""
    files = [InputFile(path=one.path, size=one.size, changed=one.changed) for one in inputs]
    return Plan(
        model=model.name,
        file_sha256=model.sha256,
        labels=model.labels,
        abstain_below=model.abstain_below if model.abstain_below <= 1 else None,
        text=text,
        id_column=id_column,
        part_rows=part_rows,
        inputs=files,
    )


def prepare_output(output: Place, plan: Plan, resume: bool) -> set[str]:
    """Write the plan into the folder and return the names of the parts that are there already.

    BulkError: the folder holds something and `resume` is not set, or it holds another run.
    """
    system = output.system
    system.create_dir(output.path, recursive=True)
    names = {info.base_name for info in system.get_file_info(fs.FileSelector(output.path)) if info.is_file}
    names = {name for name in names if not name.endswith(PARTIAL)}
    if names and not resume:
        raise BulkError(f"{output.path}: is not empty; add --resume to go on, or name another folder")
    if PLAN in names:
        _check_same(_read_plan(output), plan, output)
    elif names:
        raise BulkError(f"{output.path}: holds files but no {PLAN}; name another folder")
    else:
        _write_plan(output, plan)
    remove_partial(output)
    return names - {PLAN}


def _write_plan(output: Place, plan: Plan) -> None:
    partial = output.child(f".{PLAN}{PARTIAL}").path
    with output.system.open_output_stream(partial) as file:
        file.write(plan.model_dump_json(indent=1).encode())
    output.system.move(partial, output.child(PLAN).path)


def _read_plan(output: Place) -> Plan:
    with output.system.open_input_stream(output.child(PLAN).path) as file:
        content = file.read()
    try:
        return Plan.model_validate_json(content)
    except (ValidationError, json.JSONDecodeError):
        raise BulkError(f"{output.path}: its {PLAN} cannot be read; name another folder") from None


def _check_same(old: Plan, new: Plan, output: Place) -> None:
    before, after = old.model_dump(), new.model_dump()
    if changed := [key for key in after if before[key] != after[key]]:
        raise BulkError(
            f"{output.path}: holds a run with a different value of {changed[0]} "
            f"({_short(before[changed[0]])}, now {_short(after[changed[0]])}); name another folder"
        )


def _short(value: Any) -> str:  # noqa: ANN401  (a field of a plan)
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:79] + "…"

"""What a push left behind, kept beside the run: enough to prove it, undo it and say where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from finsent.cli import say
from publishing.durable import write_durably
from publishing.errors import PublishError
from publishing.package.manifest import RepoType

FOLDER = "receipts"
BROKEN = ".broken"  # is added to the name of what cannot be read
State = Literal["published", "unchanged", "failed", "interrupted", "rolled back"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SentFile(_Part):
    """A file of the commit."""

    path: str
    size: int
    sha256: str


class Check(_Part):
    """One thing that was proved, or was not."""

    name: str
    state: Literal["ok", "failed", "not run"]
    detail: str = ""


class SpaceRecord(_Part):
    """The Space that shows the model; `sdk` is what it became, `stage` what the Hub said last."""

    repo_id: str
    sdk: str
    commit: str | None
    model_revision: str | None
    stage: str
    note: str = ""


class Receipt(_Part):
    """One push. `commit` is what is on the Hub by its doing, None when nothing does."""

    schema_version: int = 1
    created: str
    endpoint: str
    repo_id: str
    repo_type: RepoType
    revision: str
    state: State
    message: str = ""
    push: str
    parent: str | None = None
    commit: str | None = None
    commit_is_certain: bool = True
    """False: the commit may still arrive, or the Hub could not be asked whether it did."""
    pull_request: int | None = None
    tag: str | None = None
    card_sha256: str | None = None
    card_choice: str | None = None
    files: tuple[SentFile, ...] = ()
    checks: tuple[Check, ...] = ()
    space: SpaceRecord | None = None

    def with_(self, **changes: object) -> Receipt:
        """Return the receipt with other values."""
        return self.model_copy(update=changes)


def timestamp() -> str:
    """Return the time as it is in receipts and their names."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%fZ")


def write_receipt(receipt: Receipt, run: Path) -> Path:
    """Write or renew the receipt of a push; no reader ever sees half of one, not after a power cut either."""
    folder = run / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{receipt.created}.json"
    write_durably(path, receipt.model_dump_json(indent=1) + "\n")
    return path


def read_receipt(path: Path) -> Receipt:
    """Read a receipt; PublishError if it is not one."""
    try:
        return Receipt.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        first = str(error).splitlines()[0]
        raise PublishError(
            f"{path}: is not a receipt ({first}); receipts are in runs/*/{FOLDER}/*.json"
        ) from None


def read_receipts(run: Path, repo_id: str) -> Iterator[Receipt]:
    """Yield what earlier pushes of a run to one repository left, the newest first."""
    for _, receipt in _readable(run):
        if receipt.repo_id == repo_id:
            yield receipt


def _readable(run: Path) -> Iterator[tuple[Path, Receipt]]:
    """Yield the receipts of a run, the newest first; one that is damaged is said and set aside."""
    for path in sorted((run / FOLDER).glob("*.json"), reverse=True):
        try:
            receipt = read_receipt(path)
        except PublishError as error:
            path.replace(aside := path.with_name(path.name + BROKEN))
            say(f"{error}; moved to {aside.name}, and the push continues without it")
            continue
        yield path, receipt


def find_receipt(source: Path) -> tuple[Receipt, Path]:
    """Return a receipt and its run; `source` is its file, or a run, of which the newest is taken."""
    path = source if source.is_file() else newest_receipt(source)
    return read_receipt(path), path.parent.parent


def newest_receipt(run: Path) -> Path:
    """Return the newest receipt of a run that changed a branch; PublishError if there is none."""
    for path, receipt in _readable(run):
        if receipt.commit not in (None, receipt.parent) and receipt.pull_request is None:
            return path
    raise PublishError(f"{run}: has no receipt of a published commit; was it published from here?")

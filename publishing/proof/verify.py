"""How deep a proof goes: the checks of a commit that was just made, and of any published release."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from finsent.cli import stage
from finsent.release import HANDLER, METRICS
from publishing.errors import PublishError
from publishing.hub.remote import Reader, Remote, Target
from publishing.package.parcel import Parcel
from publishing.proof.handler import check_foreign_handler, check_handler
from publishing.proof.prover import Prover, empty_home
from publishing.receipt import Check

Depth = Literal["files", "load", "full"]
UNASKED = "its code may be anyone's; --run-snippets runs it with your rights, but without your token"


def check_names(repo_type: str, depth: Depth, has_handler: bool) -> tuple[str, ...]:
    """Return the names of the checks that a proof of this depth consists of."""
    if depth == "files":
        return ("files",)
    if repo_type == "dataset":
        return ("files", "rows")
    loading = ("files", "load", "handler") if has_handler else ("files", "load")
    return loading if depth == "load" else (*loading, "card")


def verify_commit(
    prover: Prover, snapshot: Path, parcel: Parcel, expected: dict[str, str], depth: Depth
) -> Iterator[Check]:
    """Yield what is found out about a commit of ours; `expected` is path -> sha256 of what was sent."""
    yield prover.check_files(snapshot, expected)
    if depth == "files":
        return
    if parcel.target.repo_type == "dataset":
        yield prover.check_rows(snapshot)
        return
    stage("proof: loading by Hub id")
    yield prover.check_loading(snapshot, parcel.folder)
    if HANDLER in expected:
        yield check_handler(snapshot, prover.home)
    if depth == "full":
        stage("proof: the card's code")
        yield prover.check_card(snapshot)


def verify_published(
    target: Target, reader: Reader, depth: Depth, run_snippets: bool = False
) -> Iterator[Check]:
    """Yield what is found out about a release that somebody published: object ids, figures, loading.

    It may be a stranger's. So no code of it runs, unless `run_snippets` asks for that of its card and its
    handler.
    """
    remote = reader.read(target)
    with empty_home() as home:
        prover = Prover(reader, target, _head_of_release(remote, reader), home)
        snapshot = prover.download(sorted(remote.files))
        yield prover.check_objects(snapshot, remote.files)
        yield prover.check_measured(snapshot)
        if depth != "files":
            yield prover.check_foreign_loading(snapshot)
        if run_snippets:
            yield prover.check_foreign_card(snapshot)
            if HANDLER in remote.files:
                yield check_foreign_handler(snapshot, home)
        elif depth == "full":
            yield Check(name="card", state="not run", detail=UNASKED)
            if HANDLER in remote.files:
                yield Check(name="handler", state="not run", detail=UNASKED)


def _head_of_release(remote: Remote, reader: Reader) -> str:
    """Return the commit that can be proved; PublishError if nothing is there that can."""
    if remote.head is None:
        place = reader.connection.place
        raise PublishError(f"{remote.target}: is not on {place}, or this token may not see it")
    if METRICS not in remote.files:
        raise PublishError(f"{remote.target}: has no {METRICS}, so finsent cannot check it")
    return remote.head


@contextmanager
def proving(commit: str) -> Iterator[None]:
    """Raise PublishError that tells what is on the Hub where a proof cannot be brought to an end."""
    try:
        yield
    except (PublishError, OSError) as error:
        full = f"; is there enough space in {tempfile.gettempdir()}? TMPDIR can name another folder"
        raise PublishError(
            f"{commit[:8]} is published, but the proof was interrupted: {error}"
            f"{full if isinstance(error, OSError) else ''}; run the same command again to prove it"
        ) from error


def raise_if_failed(check: Check, commit: str) -> None:
    """Raise PublishError if something was found to be wrong with what is published."""
    if check.state == "failed":
        raise PublishError(
            f"{commit[:8]} is published, but {check.name} failed: {check.detail}; "
            "fix it and push again, or undo it with: python hub_push.py rollback RUN"
        )

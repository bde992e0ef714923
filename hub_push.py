"""Publish a release: lint, plan, one commit, proof, Space, receipt.

python hub_push.py runs/quickstart --repo-id me/finsent     show the plan, ask, publish, prove
python hub_push.py runs/quickstart --repo-id me/finsent --dry-run      only the plan
python hub_push.py runs/quickstart --local                  on this machine's own Hub, in runs/hub
python hub_push.py data/headlines --repo-type dataset --repo-id me/headlines
python hub_push.py verify me/finsent                        prove what is published, without having the run
python hub_push.py rollback runs/quickstart                 restore what stood before the last push

What a push can be told stands in 'python hub_push.py push --help'.

The token comes from HF_TOKEN or 'hf auth login', never from the command line. Exit 0: published and
proved, or nothing to change; 1: not, and the message says what stands where; 2: wrong usage.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import typer
from huggingface_hub.utils.tqdm import disable_progress_bars
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from typer.core import TyperGroup

from finsent.errors import FinsentError
from finsent.recipe_file import load_recipe
from finsent.release import RECIPE, Run
from publishing.card_merge import Choice
from publishing.connection import PUBLIC_HUB, Timeouts, connect
from publishing.errors import GaveUpError, PublishError, StalePlanError
from publishing.journal import Journal
from publishing.lint import check_manifest
from publishing.moves import follow_moves
from publishing.parcel import Parcel, pack_dataset, pack_release, subject_of
from publishing.plan import Plan
from publishing.preflight import check_account, check_rights
from publishing.proof import Depth
from publishing.receipt import Receipt, newest_receipt, read_receipt
from publishing.remote import Reader, Target
from publishing.retries import Retries
from publishing.space_push import Form, SpaceWish
from publishing.stages import (
    Wishes,
    check_published,
    close,
    commit,
    demand,
    draw,
    is_proposed,
    is_settled,
    prove,
    repositories,
    show_space,
    start_receipt,
    tag_commit,
    undo,
)  # fmt: skip
from publishing.tables import show_account

if TYPE_CHECKING:
    from local_hub import RunningHub

RUNS = Path("runs")
Kind = Literal["model", "dataset"]
COMMANDS = ("push", "verify", "rollback")

console = Console(stderr=True, highlight=False)


@dataclass(frozen=True)
class Outcome:
    """What became of a push; no receipt: nothing was to be done, or it was a dry run."""

    plan: Plan
    space_plan: Plan | None
    receipt: Receipt | None


def publish(parcel: Parcel, wishes: Wishes, reader: Reader) -> Outcome:
    """Publish a parcel and prove it; PublishError with a receipt that is true whatever happened."""
    check_manifest(parcel.manifest, parcel.folder, reader.connection.token)
    account = check_account(reader.connection, reader.retries, *repositories(parcel, wishes))
    parcel, wishes = follow_moves(parcel, wishes, reader)
    check_rights(reader.connection, account, tuple(repositories(parcel, wishes)))
    show_account(wishes.console, reader.connection, account)
    draft = draw(parcel, wishes, reader)
    if wishes.dry_run:
        return Outcome(draft.plan, draft.space_plan, None)
    settled = draft.plan.is_empty and is_settled(parcel, wishes, draft, reader)
    if settled:
        wishes.tell("nothing to do: this is published and proved")
    if settled or is_proposed(parcel, wishes, draft, reader):
        return Outcome(draft.plan, draft.space_plan, None)
    confirm(wishes)
    journal = Journal(start_receipt(parcel, wishes, draft, reader), parcel.run)
    with journal.kept_true(reader, parcel.target, wishes.pull_request):
        try:
            committed = commit(parcel, wishes, draft, reader, journal)
        except StalePlanError as error:
            journal.note(state="failed", message=str(error))
            draw(parcel, wishes, reader)
            raise PublishError(f"{error}; above stands the plan as it is now: run again to go on") from error
        tag_commit(parcel, wishes, draft, committed, reader, journal)
        prove(parcel, wishes, draft, committed, reader, journal)
        show_space(parcel, wishes, committed, reader, journal)
    return Outcome(draft.plan, draft.space_plan, close(journal, wishes))


def confirm(wishes: Wishes) -> None:
    """Ask once; PublishError when nobody can answer or the answer is no."""
    if not wishes.confirm:
        return
    if not sys.stdin.isatty():
        raise PublishError("nobody to ask here: add --yes to publish, or --dry-run to see only the plan")
    if not typer.confirm("Publish this?", err=True):
        raise PublishError("not published, as answered; nothing was sent")


class PushByDefault(TyperGroup):
    """`hub_push.py RUN` means `hub_push.py push RUN`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  (typer's own click)
        """Put `push` before anything that is no command and no call for help."""
        if args and args[0] not in (*COMMANDS, "--help"):
            args = ["push", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=PushByDefault, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    no_args_is_help=True, help=(__doc__ or "").replace("\n\npython", "\n\n\b\npython"),
)  # fmt: skip

Endpoint = Annotated[
    str, typer.Option(envvar="HF_ENDPOINT", help="the Hub to publish to", show_default="huggingface.co")
]
Local = Annotated[
    bool, typer.Option("--local", help="a Hub of this machine's own in runs/hub, started for it")
]
Patience = Annotated[
    float, typer.Option(min=0.1, help="seconds without a byte before a request counts as lost")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]


@app.command()
def push(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="folder of a run, or of a data set")],
    repo_id: Annotated[str | None, typer.Option(help="owner/name; the recipe's hub.model by default")] = None,
    repo_type: Annotated[Kind, typer.Option(help="what the folder holds")] = "model",
    endpoint: Endpoint = PUBLIC_HUB,
    local: Local = False,
    revision: Annotated[str, typer.Option(help="branch; tags are made on main only")] = "main",
    pr: Annotated[bool, typer.Option("--pr", help="open a pull request instead of committing")] = False,
    private: Annotated[bool, typer.Option("--private", help="if the repository is created now")] = False,
    card: Annotated[Choice | None, typer.Option(help="if the README was edited on the Hub")] = None,
    with_tag: Annotated[bool, typer.Option("--tag/--no-tag", help="tag v<version>")] = True,
    space: Annotated[Form, typer.Option(help="the demo; auto: Gradio, static where that costs")] = "auto",
    space_id: Annotated[str | None, typer.Option(help="owner/name; <repo-id>-demo by default")] = None,
    space_secret: Annotated[
        list[str] | None, typer.Option(help="variable to hand to the Space as a secret")
    ] = None,
    proof: Annotated[
        Depth, typer.Option(help="files: hashes; load: also models; full: also the card")
    ] = "full",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="stop after the plan")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="plan and receipt as JSON on stdout")] = False,
    yes: Yes = False,
    patience: Patience = 60,
) -> None:
    """Show what will change, ask, publish, read back, run it, leave a receipt."""
    with lines_for_people():
        target = Target(repo_id or default_id(folder, repo_type), repo_type, revision)
        demo = choose_space(folder, repo_type, space, space_id, repo_id) if not pr else None
        with reach(endpoint, local, patience, *(one for one in (target.repo_id, demo) if one)) as reader:
            parcel = pack(folder, target, demo)
            wish = None
            if demo is not None:
                secrets, outbox = tuple(space_secret or ()), parcel.run / "outbox" / "space"
                wish = SpaceWish(
                    demo, space, subject_of(parcel), outbox,
                    private=private, secrets=secrets, replace_card=card == "ours",
                )  # fmt: skip
            wishes = Wishes(card, with_tag, pr, private, proof, dry_run, not yes, wish)
            outcome = publish(parcel, wishes, reader)
            if as_json:
                print(json.dumps(_as_json(outcome), indent=1))


@app.command()
def verify(
    repo_id: Annotated[str, typer.Argument(help="owner/name of a published release")],
    revision: Annotated[str, typer.Option(help="branch, tag or commit")] = "main",
    endpoint: Endpoint = PUBLIC_HUB,
    local: Local = False,
    proof: Annotated[Depth, typer.Option(help="how far")] = "full",
    patience: Patience = 60,
) -> None:
    """Prove a published release without having the run."""
    with lines_for_people(), reach(endpoint, local, patience, repo_id) as reader:
        target = reader.current(Target(repo_id, "model", revision))
        for check in check_published(target, reader, proof):
            print(f"{check.name}: {check.state}, {check.detail}")
            demand(check, revision)


@app.command()
def rollback(
    source: Annotated[Path, typer.Argument(metavar="RUN|RECEIPT", help="the run, or one of its receipts")],
    yes: Yes = False,
    local: Local = False,
    patience: Patience = 60,
) -> None:
    """Restore what stood before a push, as a new commit."""
    with lines_for_people():
        path = source if source.is_file() else newest_receipt(source)
        receipt = read_receipt(path)
        with reach(receipt.endpoint, local, patience, receipt.repo_id) as reader:
            wishes = Wishes(confirm=not yes)
            stage(f"{receipt.repo_id} goes back from {str(receipt.commit)[:8]} to {str(receipt.parent)[:8]}")
            confirm(wishes)
            try:
                undo(receipt, path.parent.parent, reader, wishes)
            except GaveUpError as error:
                hint = "" if local else "; what was pushed with --local is undone with --local"
                raise PublishError(f"{error}{hint}") from error


def default_id(folder: Path, kind: Kind) -> str:
    """Return the repository that a run's recipe names; PublishError for a data set, which has no recipe."""
    if kind == "dataset":
        raise PublishError("--repo-id: a data set has no recipe that names one; give owner/name")
    release = Run(folder).release
    if not release.is_dir():
        raise PublishError(f"{folder}: is no run, for it holds no release/; make one with train.py")
    return load_recipe(release / RECIPE).hub.model


def choose_space(
    folder: Path, kind: Kind, form: Form, space_id: str | None, repo_id: str | None
) -> str | None:
    """Return the demo's repository: as given, beside a given model, or the recipe's; None for none."""
    if form == "none" or kind == "dataset":
        return None
    if space_id:
        return space_id
    return f"{repo_id}-demo" if repo_id else load_recipe(Run(folder).release / RECIPE).hub.space


def pack(folder: Path, target: Target, space_id: str | None) -> Parcel:
    """Hash what is sent, with a bar on a terminal."""
    stage(f"lint: {folder}")
    is_dataset = target.repo_type == "dataset"
    with hashing_bar(folder if is_dataset else Run(folder).release) as progress:
        if is_dataset:
            return pack_dataset(folder, target, RUNS, progress)
        return pack_release(folder, target, space_id, progress)


@contextmanager
def hashing_bar(folder: Path) -> Iterator[Any]:
    """Yield a function that takes the bytes just read of a folder's files; on a terminal it moves a bar."""
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    columns = (TextColumn("hashing"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("hashing", total=total)
        yield lambda count: bar.advance(task, count)


@contextmanager
def reach(endpoint: str, local: bool, patience: float, *repo_ids: str) -> Iterator[Reader]:
    """Yield a reader of the Hub; with `local`, start this machine's own in runs/hub while it lasts."""
    owners = {repo_id.partition("/")[0] for repo_id in repo_ids} - {"local"}
    with own_hub(owners) if local else nullcontext() as hub:
        timeouts = Timeouts(read=patience)
        if hub is None:
            connection = connect(endpoint, None, timeouts)
        else:
            connection = connect(hub.endpoint, hub.token, timeouts, "runs/hub/token")
        yield Reader(connection, Retries(tell=stage))
        if local:
            stage("to look at it: python -m local_hub serve --root runs/hub, then http://127.0.0.1:8090")


def own_hub(owners: set[str]) -> AbstractContextManager[RunningHub]:
    """Return this machine's Hub, whose only user may write to the namespaces of `owners`."""
    from local_hub import HubSettings, running_hub  # a web server, which no other push needs

    settings = HubSettings((RUNS / "hub").absolute(), organizations=tuple(sorted(owners)), run_spaces=True)
    return running_hub(settings)


@contextmanager
def lines_for_people() -> Iterator[None]:
    """Turn what a person can cause into one line and exit 1; no bars where nobody watches."""
    if not console.is_terminal:
        disable_progress_bars()
    logging.getLogger("huggingface_hub").setLevel(
        logging.ERROR
    )  # of retries we tell ourselves, in a line each
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a job that is cancelled ends like Ctrl-C
    try:
        yield
    except (FinsentError, OSError) as error:
        fail(str(error))
    except KeyboardInterrupt as stop:
        notes = getattr(stop, "__notes__", ["nothing was sent"])
        fail(f"interrupted; {notes[0]}")


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "plan": outcome.plan.model_dump(mode="json"),
        "space_plan": outcome.space_plan.model_dump(mode="json") if outcome.space_plan else None,
        "receipt": outcome.receipt.model_dump(mode="json") if outcome.receipt else None,
    }


def stage(title: str) -> None:
    """Tell a person what begins now."""
    console.print(title, markup=False, soft_wrap=True)


def fail(message: str) -> NoReturn:
    """Print what is wrong and exit 1."""
    console.print(f"hub_push.py: {message}", markup=False, soft_wrap=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()

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
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import typer

from finsent.cli import (
    DefaultCommandGroup,
    confirm,
    plain,
    print_anywhere,
    quiet_libraries,
    reporting_errors,
    say,
    take_termination_as_interrupt,
)
from publishing import options
from publishing.errors import GaveUpError, PublishError
from publishing.hub.connection import PUBLIC_HUB, Timeouts, connect
from publishing.hub.remote import Reader, Target
from publishing.hub.retries import Retries
from publishing.package.address import choose_model_id
from publishing.package.parcel import pack, subject_of
from publishing.proof.verify import raise_if_failed, verify_published
from publishing.push import Push, PushResult
from publishing.receipt import newest_receipt, read_receipt
from publishing.rollback import roll_back
from publishing.space.options import OUTBOX, SpaceOptions, choose_space_id

if TYPE_CHECKING:
    from local_hub import RunningHub

RUNS = Path("runs")
ABORTED = "nothing was sent"

app = typer.Typer(
    cls=DefaultCommandGroup, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    no_args_is_help=True, help=(__doc__ or "").replace("\n\npython", "\n\n\b\npython"),
)  # fmt: skip


def publish(push: Push) -> PushResult:
    """Publish a parcel and prove it; PublishError with a receipt that is true whatever happened."""
    push.check()
    push.plan()
    if push.options.dry_run or push.is_done():
        return push.without_receipt()
    if push.options.confirm:
        confirm("Publish this?")
    with push.recorded():
        push.commit()
        push.tag()
        push.prove()
        push.show_space()
    return push.close()


@app.command("push")
def push_command(
    folder: options.Folder,
    repo_id: options.RepoId = None,
    repo_type: options.RepoKind = "model",
    endpoint: options.Endpoint = PUBLIC_HUB,
    local: options.Local = False,
    revision: options.Branch = "main",
    pr: options.PullRequest = False,
    private: options.Private = False,
    card: options.EditedCard = None,
    tag: options.Tag = True,
    space: options.Demo = "auto",
    space_id: options.SpaceId = None,
    space_secret: options.SpaceSecret = None,
    proof: options.Proof = "full",
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
    yes: options.Yes = False,
    patience: options.Patience = 60,
) -> None:
    """Show what will change, ask, publish, read back, run it, leave a receipt."""
    with reporting_errors(ABORTED):
        target = Target(choose_model_id(folder, repo_type, repo_id), repo_type, revision)
        has_space = space != "none" and repo_type == "model" and not pr
        demo = choose_space_id(folder, repo_id, space_id) if has_space else None
        with open_hub(endpoint, local, patience, target.repo_id, demo) as reader:
            parcel, shown = pack(folder, target, demo, RUNS), None
            if demo is not None:
                shown = SpaceOptions(
                    demo, space, subject_of(parcel), parcel.run / OUTBOX,
                    private=private, secrets=tuple(space_secret or ()), replace_card=card == "ours",
                )  # fmt: skip
            chosen = options.PushOptions(card, tag, pr, private, proof, dry_run, not yes, shown)
            result = publish(Push(parcel, chosen, reader))
            if as_json:
                print(json.dumps(result.as_json(), indent=1))


@app.command()
def verify(
    repo_id: options.PublishedId,
    revision: options.Revision = "main",
    endpoint: options.Endpoint = PUBLIC_HUB,
    local: options.Local = False,
    proof: options.Proof = "full",
    run_snippets: options.RunSnippets = False,
    patience: options.Patience = 60,
) -> None:
    """Prove a published release without having the run: its files, and that they load; no code of it runs."""
    with reporting_errors(ABORTED), open_hub(endpoint, local, patience, repo_id) as reader:
        target = reader.current(Target(repo_id, "model", revision))
        for check in verify_published(target, reader, proof, run_snippets):
            print(plain(f"{check.name}: {check.state}, {check.detail}"))
            raise_if_failed(check, revision)


@app.command()
def rollback(
    source: options.RunOrReceipt,
    yes: options.Yes = False,
    local: options.Local = False,
    patience: options.Patience = 60,
) -> None:
    """Restore what stood before a push, as a new commit."""
    with reporting_errors(ABORTED):
        path = source if source.is_file() else newest_receipt(source)
        receipt = read_receipt(path)
        with open_hub(receipt.endpoint, local, patience, receipt.repo_id) as reader:
            say(f"{receipt.repo_id} goes back from {str(receipt.commit)[:8]} to {str(receipt.parent)[:8]}")
            if not yes:
                confirm("Publish this?")
            try:
                roll_back(receipt, path.parent.parent, reader)
            except GaveUpError as error:
                hint = "" if local else "; what was pushed with --local is undone with --local"
                raise PublishError(f"{error}{hint}") from error


@contextmanager
def open_hub(endpoint: str, local: bool, patience: float, *repo_ids: str | None) -> Iterator[Reader]:
    """Yield a reader of the Hub; with `local`, start this machine's own in runs/hub while it lasts.

    Its only user may write to the namespaces of `repo_ids`.
    """
    take_termination_as_interrupt()
    quiet_libraries()
    timeouts = Timeouts(read=patience)
    if not local:
        yield Reader(connect(endpoint, None, timeouts), Retries(tell=say))
        return
    owners = {repo_id.partition("/")[0] for repo_id in repo_ids if repo_id} - {"local"}
    with own_hub(tuple(sorted(owners))) as hub:
        connection = connect(hub.endpoint, hub.token, timeouts, "runs/hub/token")
        yield Reader(connection, Retries(tell=say))
        say("to look at it: python -m local_hub serve --root runs/hub, then http://127.0.0.1:8090")


@contextmanager
def own_hub(owners: tuple[str, ...]) -> Iterator[RunningHub]:
    """Serve runs/hub while the context lasts; PublishError when another process does already."""
    from local_hub import HubSettings, RootInUseError, running_hub  # a web server, which no other push needs

    folder = (RUNS / "hub").absolute()
    with ExitStack() as stack:
        try:
            hub = stack.enter_context(running_hub(HubSettings(folder, organizations=owners, run_spaces=True)))
        except RootInUseError:
            raise PublishError(
                "runs/hub: is being served already; stop that, or publish to it: instead of --local, set "
                "HF_TOKEN=$(cat runs/hub/token) and --endpoint http://127.0.0.1:8090, or where it is"
            ) from None
        yield hub


if __name__ == "__main__":
    print_anywhere()
    app()

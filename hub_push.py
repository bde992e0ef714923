"""Publish a release: check it, show the plan, commit, prove what was published, start the demo.

python hub_push.py runs/quickstart --repo-id me/finsent            show the plan, ask, publish, prove
python hub_push.py runs/quickstart --repo-id me/finsent --dry-run  show the plan only
python hub_push.py runs/quickstart --local                         publish to a Hub on this machine
python hub_push.py data/headlines --repo-type dataset --repo-id me/headlines
python hub_push.py verify me/finsent                               check a published model
python hub_push.py rollback runs/quickstart                        undo the last push

'python hub_push.py push --help' lists the options of a push.

The token is read from HF_TOKEN or 'hf auth login', never from the command line. Exit 0: published and
proved, or nothing to change. 1: failed; the message and the receipt say what is on the Hub. 2: wrong usage.
"""

from __future__ import annotations

from finsent.cli import DefaultCommandGroup, confirm, make_app, print_anywhere, reporting_errors
from publishing import options
from publishing.display import show_check, show_places, show_rollback
from publishing.hub.connection import PUBLIC_HUB
from publishing.hub.local import open_hub
from publishing.hub.remote import Target
from publishing.package.address import choose_model_id
from publishing.package.parcel import pack
from publishing.proof.verify import raise_if_failed, verify_published
from publishing.push import Push, PushResult
from publishing.receipt import find_receipt
from publishing.rollback import roll_back
from publishing.space.address import choose_space, choose_space_id

ABORTED = "nothing was sent"

app = make_app(__doc__, cls=DefaultCommandGroup, no_args_is_help=True)


def publish(push: Push) -> PushResult:
    """Publish a parcel and prove it; PublishError on failure, with a receipt of what is on the Hub."""
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
    """Show what will change, ask, publish, download it again, run it, write a receipt.

    \b
    python hub_push.py runs/quickstart --repo-id me/finsent
    python hub_push.py runs/quickstart --local --yes
    """  # noqa: D301  (click wants the character itself)
    with reporting_errors(ABORTED):
        target = Target(choose_model_id(folder, repo_type, repo_id), repo_type, revision)
        has_space = space != "none" and repo_type == "model" and not pr
        demo = choose_space_id(folder, repo_id, space_id) if has_space else None
        with open_hub(endpoint, local, patience, target.repo_id, demo) as reader:
            parcel = pack(folder, target, demo)
            shown = choose_space(demo, parcel, space, private, space_secret, card) if demo else None
            chosen = options.PushOptions(card, tag, pr, private, proof, dry_run, not yes, shown)
            result = publish(Push(parcel, chosen, reader))
            if as_json:
                print(result.as_json())
        if not dry_run and not pr:
            show_places(parcel, result.plan.repo_id, demo, reader.connection.endpoint, local)


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
    """Check a published release: its files, and that they load. None of its code is run.

    \b
    python hub_push.py verify me/finsent
    python hub_push.py verify me/finsent --revision v0.1.0 --proof files
    """  # noqa: D301
    with reporting_errors(ABORTED), open_hub(endpoint, local, patience, repo_id) as reader:
        target = reader.current(Target(repo_id, "model", revision))
        for check in verify_published(target, reader, proof, run_snippets):
            show_check(check)
            raise_if_failed(check, revision)


@app.command()
def rollback(
    source: options.RunOrReceipt,
    yes: options.Yes = False,
    local: options.Local = False,
    patience: options.Patience = 60,
) -> None:
    """Undo a push: restore the files from before it in a new commit.

    \b
    python hub_push.py rollback runs/quickstart
    """  # noqa: D301
    with reporting_errors(ABORTED):
        receipt, run = find_receipt(source)
        with open_hub(receipt.endpoint, local, patience, receipt.repo_id) as reader:
            show_rollback(receipt)
            if not yes:
                confirm("Publish this?")
            roll_back(receipt, run, reader)


if __name__ == "__main__":
    print_anywhere()
    app()

"""The options of a push on the command line, and the object that holds their values."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import typer

from publishing.package.card_merge import CardChoice
from publishing.proof.verify import Depth
from publishing.space.address import SpaceChoice, SpaceOptions

# Each is one option of hub_push.py; --help is made of these lines.
Folder = Annotated[Path, typer.Argument(metavar="RUN", help="folder of a run or a data set")]
RunOrReceipt = Annotated[Path, typer.Argument(metavar="RUN|RECEIPT", help="a run, or one of its receipts")]
PublishedId = Annotated[str, typer.Argument(metavar="REPO_ID", help="owner/name of a published release")]
RepoId = Annotated[str | None, typer.Option(help="owner/name; default: hub.model of the recipe")]
RepoKind = Annotated[Literal["model", "dataset"], typer.Option(help="kind of repository")]
Endpoint = Annotated[
    str, typer.Option(envvar="HF_ENDPOINT", help="the Hub to publish to", show_default="huggingface.co")
]
Local = Annotated[
    bool, typer.Option("--local", help="publish to a Hub on this machine, in runs/hub; it is started for you")
]
Branch = Annotated[str, typer.Option(help="branch; only main gets tags")]
Revision = Annotated[str, typer.Option(help="branch, tag or commit")]
PullRequest = Annotated[bool, typer.Option("--pr", help="open a pull request instead of committing")]
Private = Annotated[bool, typer.Option("--private", help="make a new repository private")]
EditedCard = Annotated[
    CardChoice | None, typer.Option(help="which README to keep if it was edited on the Hub")
]
Tag = Annotated[bool, typer.Option("--tag/--no-tag", help="tag v<version>")]
Demo = Annotated[
    SpaceChoice, typer.Option(help="form of the demo; auto: Gradio, or static if Gradio costs money")
]
SpaceId = Annotated[
    str | None,
    typer.Option(help="owner/name; default: <repo-id>-demo with --repo-id, else hub.space of the recipe"),
]
SpaceSecret = Annotated[
    list[str] | None, typer.Option(help="environment variable to pass to the Space as a secret; repeatable")
]
Proof = Annotated[
    Depth, typer.Option(help="files: compare hashes; load: also run the models; full: also the card's code")
]
RunSnippets = Annotated[
    bool,
    typer.Option(
        "--run-snippets",
        help="also run the card's code and handler.py. They are somebody's programs and run with your "
        "rights, in a temporary home without your token and variables: use this only for people you trust",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="show the plan and stop")]
AsJson = Annotated[bool, typer.Option("--json", help="print plan and receipt as JSON")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]
Patience = Annotated[
    float, typer.Option(min=0.1, help="seconds without an answer after which a request counts as lost")
]


def new_push_id() -> str:
    """Return the id by which a push recognizes its own commits."""
    return uuid.uuid4().hex


@dataclass(frozen=True)
class PushOptions:
    """How to publish, beside what and where to."""

    card: CardChoice | None = None
    tag: bool = True
    pull_request: bool = False
    private: bool = False
    proof: Depth = "full"
    dry_run: bool = False
    confirm: bool = True
    """Ask before anything is sent."""
    space: SpaceOptions | None = None
    push_id: str = field(default_factory=new_push_id)

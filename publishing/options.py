"""What a push can be told: the options of the command line, and the object that holds their values."""

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
Folder = Annotated[Path, typer.Argument(metavar="RUN", help="folder of a run, or of a data set")]
RunOrReceipt = Annotated[Path, typer.Argument(metavar="RUN|RECEIPT", help="the run, or one of its receipts")]
PublishedId = Annotated[str, typer.Argument(metavar="REPO_ID", help="owner/name of a published release")]
RepoId = Annotated[str | None, typer.Option(help="owner/name; the recipe's hub.model by default")]
RepoKind = Annotated[Literal["model", "dataset"], typer.Option(help="what the folder holds")]
Endpoint = Annotated[
    str, typer.Option(envvar="HF_ENDPOINT", help="the Hub to publish to", show_default="huggingface.co")
]
Local = Annotated[
    bool, typer.Option("--local", help="a Hub of this machine's own in runs/hub, started for it")
]
Branch = Annotated[str, typer.Option(help="branch; tags are made on main only")]
Revision = Annotated[str, typer.Option(help="branch, tag or commit")]
PullRequest = Annotated[bool, typer.Option("--pr", help="open a pull request instead of committing")]
Private = Annotated[bool, typer.Option("--private", help="if the repository is created now")]
EditedCard = Annotated[CardChoice | None, typer.Option(help="if the README was edited on the Hub")]
Tag = Annotated[bool, typer.Option("--tag/--no-tag", help="tag v<version>")]
Demo = Annotated[SpaceChoice, typer.Option(help="the demo; auto: Gradio, static where that costs")]
SpaceId = Annotated[
    str | None,
    typer.Option(help="owner/name; <repo-id>-demo where --repo-id is given, else the recipe's hub.space"),
]
SpaceSecret = Annotated[
    list[str] | None, typer.Option(help="variable to hand to the Space as a secret; may be repeated")
]
Proof = Annotated[Depth, typer.Option(help="files: hashes; load: also models; full: also the card")]
RunSnippets = Annotated[
    bool,
    typer.Option(
        "--run-snippets",
        help="run the code of the card and handler.py, too: a stranger's programs, with your rights, in a "
        "temporary home, without your token and variables; do so only for somebody whom you trust",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="stop after the plan")]
AsJson = Annotated[bool, typer.Option("--json", help="plan and receipt as JSON on stdout")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]
Patience = Annotated[
    float, typer.Option(min=0.1, help="seconds without a byte before a request counts as lost")
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

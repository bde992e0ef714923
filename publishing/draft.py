"""What a push would do: its plan, with all that the plan was made from, and whether that was done before."""

from __future__ import annotations

from dataclasses import dataclass, replace

from finsent.cli import say, stage
from finsent.release import HANDLER
from publishing.display import show_plan
from publishing.hub.remote import LastPush, Reader, Remote
from publishing.options import PushOptions
from publishing.package.card_merge import CardDecision
from publishing.package.check import check_merged_card
from publishing.package.manifest import Manifest
from publishing.package.parcel import Parcel
from publishing.plan import Plan, make_plan
from publishing.proof.verify import check_names
from publishing.receipt import read_receipts
from publishing.space.publisher import SpacePublisher


@dataclass(frozen=True)
class Draft:
    """A plan with what it was made from."""

    plan: Plan
    manifest: Manifest
    card: CardDecision
    remote: Remote
    space_plan: Plan | None


def make_draft(parcel: Parcel, options: PushOptions, reader: Reader) -> Draft:
    """Read the Hub, plan, and show the plan."""
    stage("plan")
    remote = _with_last_choice(parcel, reader.read(parcel.target))
    plan, manifest, card = make_plan(parcel, remote, reader, options.card, tag_name(parcel, options))
    if card.choice == "merge" and card.content is not None:
        check_merged_card(manifest, parcel.folder, parcel.target)
    show_plan(plan)
    revision = remote.head if plan.is_empty else None
    return Draft(plan, manifest, card, remote, _plan_space(options, reader, revision))


def _plan_space(options: PushOptions, reader: Reader, revision: str | None) -> Plan | None:
    """Return and show what changes in the Space; a revision of None is a commit that is still to be made."""
    if options.space is None or options.pull_request:
        return None
    publisher = SpacePublisher(reader, options.space, options.push_id)
    space = reader.read(options.space.target)
    plan, _ = publisher.plan(publisher.choose_form(space), space, revision)
    show_plan(plan)
    if revision is None:
        say(f"Space {options.space.repo_id} will use the new commit once it is proved")
    return plan


def _with_last_choice(parcel: Parcel, remote: Remote) -> Remote:
    """Take which README stands there, and by whose choice, from a push that had nothing to commit."""
    for receipt in read_receipts(parcel.run, parcel.target.repo_id):
        if receipt.commit == remote.head and receipt.state == "unchanged" and receipt.commit is not None:
            last = LastPush(receipt.commit, receipt.push, receipt.card_sha256, receipt.card_choice)
            return replace(remote, last_push=last)
    return remote


def tag_name(parcel: Parcel, options: PushOptions) -> str | None:
    """Return the tag that a push makes, None for none."""
    return parcel.tag if options.tag and not options.pull_request else None


def is_published(draft: Draft, parcel: Parcel, options: PushOptions) -> bool:
    """Tell whether an earlier push left nothing to do: tag, proof and Space of this very head."""
    if not draft.plan.is_empty or draft.plan.tag is not None:
        return False
    if draft.space_plan is not None and not draft.space_plan.is_empty:
        return False
    for receipt in read_receipts(parcel.run, parcel.target.repo_id):
        if receipt.commit != draft.remote.head:
            continue  # the endpoint is not compared: a commit's id is its own, and --local changes ports
        names = check_names(receipt.repo_type, options.proof, HANDLER in draft.manifest.files)
        proved = set(names) <= {one.name for one in receipt.checks}
        whole = receipt.state in ("published", "unchanged") and proved
        return whole and (options.space is None or receipt.space is not None)
    return False


def find_proposal(draft: Draft, parcel: Parcel, reader: Reader) -> int | None:
    """Return the open pull request of an earlier push that proposes just this, None for none."""
    files = {path: file.sha256 for path, file in draft.manifest.files.items()}
    for receipt in read_receipts(parcel.run, parcel.target.repo_id):
        number = receipt.pull_request
        if number is None or receipt.state != "published":
            continue
        proposed = {file.path: file.sha256 for file in receipt.files}
        if proposed == files and reader.is_open(parcel.target, number):
            return number
    return None

"""Repositories that were renamed on the Hub: a push goes on under the new id, and its card says so."""

from __future__ import annotations

from dataclasses import replace

from publishing.parcel import Parcel, pack_release, subject_of
from publishing.remote import Reader, Target
from publishing.stages import Wishes


def follow_moves(parcel: Parcel, wishes: Wishes, reader: Reader) -> tuple[Parcel, Wishes]:
    """Return the push addressed to where its repositories are now; the Hub redirects former ids.

    What is sent is made again, because card, recipe and Space name the repository.
    """
    target = _follow(parcel.target, wishes, reader)
    space = _follow(wishes.space.target, wishes, reader) if wishes.space else None
    if target == parcel.target and (wishes.space is None or space == wishes.space.target):
        return parcel, wishes
    if target.repo_type == "dataset":
        return replace(parcel, target=target), wishes
    parcel = pack_release(parcel.run, target, space.repo_id if space else None)
    if wishes.space and space:
        wish = replace(wishes.space, repo_id=space.repo_id, subject=subject_of(parcel))
        wishes = replace(wishes, space=wish)
    return parcel, wishes


def _follow(target: Target, wishes: Wishes, reader: Reader) -> Target:
    found = reader.current(target)
    if found != target:
        wishes.tell(f"{target} was renamed on the Hub: this push goes to {found} and names it so")
    return found

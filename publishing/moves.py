"""Repositories that were renamed on the Hub: a push goes on under the new id, and its card says so."""

from __future__ import annotations

from dataclasses import replace

from finsent.cli import say
from publishing.hub.remote import Reader, Target
from publishing.options import PushOptions
from publishing.package.parcel import Parcel, pack_release, subject_of


def follow_moves(parcel: Parcel, options: PushOptions, reader: Reader) -> tuple[Parcel, PushOptions]:
    """Return the push addressed to where its repositories are now; the Hub redirects former ids.

    What is sent is made again, because card, recipe and Space name the repository.
    """
    target = _follow(parcel.target, reader)
    space = _follow(options.space.target, reader) if options.space else None
    if target == parcel.target and (options.space is None or space == options.space.target):
        return parcel, options
    if target.repo_type == "dataset":
        return replace(parcel, target=target), options
    parcel = pack_release(parcel.run, target, space.repo_id if space else None)
    if options.space and space:
        moved = replace(options.space, repo_id=space.repo_id, subject=subject_of(parcel))
        options = replace(options, space=moved)
    return parcel, options


def _follow(target: Target, reader: Reader) -> Target:
    found = reader.current(target)
    if found != target:
        say(f"{target} was renamed on the Hub: this push goes to {found} and uses that name")
    return found

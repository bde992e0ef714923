"""Who may see a repository, read its files and use its objects: the one place that decides."""

from __future__ import annotations

from local_hub.accounts import Accounts, Viewer
from local_hub.catalogue import Shelf
from local_hub.holdings import HeldObject


def may_see(accounts: Accounts, shelf: Shelf, viewer: Viewer | None) -> bool:
    """Whether the repository exists for the viewer: private ones only for their owners."""
    return not shelf.record.private or accounts.owns(viewer, shelf.id.namespace)


def may_read(accounts: Accounts, shelf: Shelf, viewer: Viewer | None) -> bool:
    """Whether the viewer may have the files and what derives from them: hashes, diffs, chunks, predictions.

    Of a gated repository everybody who may see it sees its card, the names and sizes of its files, its
    commits' titles and its discussions' words.
    """
    if accounts.owns(viewer, shelf.id.namespace):
        return True
    granted = viewer is not None and viewer.name in shelf.record.granted
    return not shelf.record.private and (granted or not shelf.record.gated)


def find_object(accounts: Accounts, shelf: Shelf, viewer: Viewer | None, oid: str) -> HeldObject | None:
    """The object if the repository holds it and the viewer may use it here.

    He may if he owns the repository, sent the object himself, or may read a published file that is it.
    """
    held = shelf.large.find(oid)
    if held is None or accounts.owns(viewer, shelf.id.namespace):
        return held
    sent = viewer is not None and viewer.name in held.senders
    readable = may_read(accounts, shelf, viewer) and shelf.repository.publishes(oid)
    return held if sent or readable else None

"""A README that somebody edited on the Hub: found out, shown, and kept, replaced or merged.

A card has generated regions (`<!-- finsent:begin x -->`) and free text. `merge` keeps their free text and
puts our regions into theirs; of the metadata ours win, and keys that only they have stay. Whatever
editor saved theirs, the result has one block of metadata and one kind of line end.
"""

from __future__ import annotations

import contextlib
import difflib
from dataclasses import dataclass
from typing import Any, Literal, get_args

from finsent.release import CARD
from finsent.yaml_dialects import dump_yaml
from model_card.card.document import Document, regions, split_card
from model_card.lint.metadata import read_metadata
from publishing.errors import CardConflictError
from publishing.hub.remote import Remote
from publishing.package.card_text import decode_card, take_metadata
from publishing.package.manifest import Manifest, digest

CardChoice = Literal["ours", "theirs", "merge"]
LONGEST_DIFF = 200  # lines


@dataclass(frozen=True)
class CardDecision:
    """What happens to the README: `content` is None where theirs stays."""

    choice: CardChoice
    edited: bool
    content: bytes | None


def decide_card(ours: bytes, theirs: bytes | None, remote: Remote, choice: CardChoice | None) -> CardDecision:
    """Return what to send as README.

    Theirs is unedited when it is what our last push left there; then the choice of that push holds on, so
    that kept text is not lost by the next release. Raises CardConflictError with a diff: it was edited, and
    nobody chose.
    """
    if theirs is None or theirs == ours:
        return CardDecision("ours", False, ours)
    last = remote.last_push
    edited = last is None or last.card not in _digests(theirs)
    if choice is None and edited:
        raise _conflict(remote, theirs, ours)
    if choice is None and last is not None and last.choice in get_args(CardChoice):
        choice = last.choice  # type: ignore[assignment]  # checked in this very line
    choice = choice or "ours"
    if choice == "theirs":
        return CardDecision(choice, edited, None)
    return CardDecision(choice, edited, _merge(theirs, ours, remote) if choice == "merge" else ours)


def _conflict(remote: Remote, theirs: bytes, ours: bytes) -> CardConflictError:
    return CardConflictError(
        f"{remote.target}: its {CARD} was edited since the last push; this would be lost:\n"
        f"{card_diff(theirs, ours)}\n"
        "choose: --card=merge keeps their text and updates the generated parts, "
        "--card=theirs keeps all of it, --card=ours replaces it"
    )


def _digests(content: bytes) -> set[str]:
    """Return the sha256 of a card as it is and as it was before an editor changed line ends alone."""
    found = {digest(content)}
    with contextlib.suppress(ValueError):
        found.add(digest(decode_card(content).encode()))
    return found


def _merge(theirs: bytes, ours: bytes, remote: Remote) -> bytes:
    try:
        return merge_card(decode_card(theirs), decode_card(ours)).encode()
    except ValueError as error:
        raise CardConflictError(
            f"{remote.target}: its {CARD} cannot be merged ({error}); fix it on the Hub, or choose "
            "--card=ours or --card=theirs"
        ) from None


def apply_decision(manifest: Manifest, decision: CardDecision) -> Manifest:
    """Return the manifest with the README that was decided on."""
    if decision.content is None:
        return manifest.without(CARD)
    return manifest.replace(CARD, decision.content)


def card_diff(theirs: bytes, ours: bytes) -> str:
    """Return a unified diff from theirs to ours, cut where it gets long."""
    pair = [text.decode("utf-8", "replace").splitlines() for text in (theirs, ours)]
    lines = list(difflib.unified_diff(pair[0], pair[1], "on the Hub", "about to be sent", lineterm=""))
    rest = len(lines) - LONGEST_DIFF
    return "\n".join(lines[:LONGEST_DIFF] + ([f"… {rest} more lines"] if rest > 0 else []))


def merge_card(theirs: str, ours: str) -> str:
    """Return their card with our generated regions and our metadata, both evened before.

    A region that they took out stays out; one that they never had is not put anywhere. Keys of the metadata
    that only they have are kept. Raises ValueError: their metadata is not YAML.
    """
    metadata, body = take_metadata(theirs)
    our_document = split_card(ours)
    their_lines, our_lines = body.split("\n"), our_document.body.split("\n")
    our_regions = regions(our_document.body)
    found = sorted(regions(body).items(), key=lambda item: item[1][0], reverse=True)
    end = len(their_lines)
    for name, (first, last) in found:  # from the end, so that line numbers before it stay right
        if name in our_regions and last <= end:  # a region around another one is left alone
            start, stop = our_regions[name]
            their_lines[first - 1 : last] = our_lines[start - 1 : stop]
            end = first - 1
    front = (our_document.front or "").strip("\n") + "\n"
    return f"---\n{front}{_only_theirs(metadata, our_document)}---\n\n" + "\n".join(their_lines)


def _only_theirs(metadata: dict[str, Any], ours: Document) -> str:
    known = read_metadata(ours)
    extra = {key: value for key, value in metadata.items() if key not in known}
    return dump_yaml(extra) if extra else ""

from __future__ import annotations

from pathlib import Path

import pytest

from publishing.hub.remote import Reader, Target
from publishing.moves import follow_moves
from publishing.options import PushOptions
from publishing.package.parcel import pack_release
from publishing.rollback import plan_rollback
from publishing.space.address import choose_space
from tests.publishing.conftest import Publisher


def test_a_push_to_a_renamed_repository_goes_on_under_the_new_id(
    publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    """Through the Hub's redirect the old id would be written into the card of the renamed repository."""
    old, new, reader = publisher.repo_id, "ann/renamed", publisher.reader
    publisher.publish()
    reader.connection.api.move_repo(old, new)
    outcome = publisher.publish()
    assert f"{old} was renamed on the Hub: this push goes to {new}" in capsys.readouterr().err
    assert outcome.receipt is not None and (outcome.plan.repo_id, outcome.receipt.repo_id) == (new, new)
    card, recipe = (
        (reader.content(Target(new), path, "main") or b"").decode() for path in ("README.md", "recipe.yaml")
    )
    assert new in card and old not in card and f"model: {new}" in recipe
    again = publisher.publish()
    assert again.plan.is_empty and again.receipt is None
    reader.connection.api.move_repo(new, "ann/renamed-again")
    assert str(plan_rollback(outcome.receipt, reader).target) == "ann/renamed-again"


def test_an_id_that_nothing_moved_from_stays(publisher: Publisher) -> None:
    assert publisher.reader.current(publisher.target) == publisher.target  # there is nothing yet
    publisher.publish()
    assert publisher.reader.current(publisher.target) == publisher.target


def test_a_space_that_was_renamed_is_pushed_under_the_new_id(reader: Reader, run: Path, repo_id: str) -> None:
    api, demo, new = reader.connection.api, f"{repo_id}-demo", f"{repo_id}-shown"
    api.create_repo(demo, repo_type="space", space_sdk="static")
    api.move_repo(demo, new, repo_type="space")
    parcel = pack_release(run, Target(repo_id), demo)
    shown = choose_space(demo, parcel, "auto", False, None, None)
    parcel, options = follow_moves(parcel, PushOptions(space=shown), reader)
    assert options.space is not None and options.space.repo_id == new
    card = parcel.manifest.content("README.md").decode()
    assert new in card and demo not in card

from __future__ import annotations

import pytest
import typer.main

import hub_push
from publishing.options import PushOptions

COMMANDS = typer.main.get_command(hub_push.app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is_for(name: str) -> None:
    parameters = [one for one in COMMANDS[name].params if one.name != "help"]
    assert len(parameters) >= 4
    assert [one.name for one in parameters if not getattr(one, "help", None)] == []


def test_what_the_command_leaves_out_is_what_a_push_does_by_itself() -> None:
    given = {one.name: one.default for one in COMMANDS["push"].params}
    plain = PushOptions()
    assert (given["card"], given["tag"], given["pr"], given["private"]) == (
        plain.card, plain.tag, plain.pull_request, plain.private,
    )  # fmt: skip
    assert (given["proof"], given["dry_run"], given["yes"]) == (plain.proof, plain.dry_run, not plain.confirm)


def test_each_push_has_an_id_of_its_own() -> None:
    assert PushOptions().push_id != PushOptions().push_id

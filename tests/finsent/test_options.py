from __future__ import annotations

import typer.main

import train


def test_every_option_says_what_it_is_for_and_where_nothing_is_said_runs_are_in_runs() -> None:
    parameters = {one.name: one for one in typer.main.get_command(train.app).params if one.name != "help"}
    assert [name for name, one in parameters.items() if not getattr(one, "help", None)] == []
    assert str(parameters["runs"].default) == "runs"
    assert parameters["resume"].default is False

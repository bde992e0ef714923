from __future__ import annotations

import re

import pytest

from tests.docs.commands import GROUPS, all_programs, help_of

COMMANDS = [
    (program, *command)
    for program in all_programs()
    for command in ([()] + [(name,) for name in GROUPS.get(program, ())])
]


def test_every_program_is_found() -> None:
    assert {"train.py", "hub_push.py", "serving.bulk", "finsent.recipe.new"} <= set(all_programs())


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_an_example_that_a_reader_can_copy(command: tuple[str, ...]) -> None:
    program, *words = command
    called = program if program.endswith(".py") else f"-m {program}"
    example = rf"(?m)^ +python {' '.join([called, *words])} \S"
    if words == ["push"]:
        example = rf"(?m)^ +python {called} \S"  # the word push may be left out
    assert re.search(example, help_of(*command)), help_of(*command)

"""The commands of this repository and their help, asked in this process: one process each is slow."""

from __future__ import annotations

import contextlib
import functools
import io
import runpy
import subprocess
import sys
import warnings
from unittest import mock

from finsent import REPOSITORY

# Commands of a command; the first may be left out where the story says so.
GROUPS = {"hub_push.py": ("push", "verify", "rollback"), "local_hub": ("serve",)}


@functools.cache
def help_of(program: str, *command: str) -> str:
    """Return what `python program command --help` prints; a name without .py is a module."""
    printed = io.StringIO()
    with (
        mock.patch.object(sys, "argv", [program, *command, "--help"]),
        mock.patch.dict("os.environ", COLUMNS="200"),
        contextlib.redirect_stdout(printed),
        contextlib.suppress(SystemExit),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", RuntimeWarning)  # of a module that a test imported before
        if program.endswith(".py"):
            runpy.run_path(str(REPOSITORY / program), run_name="__main__")
        else:
            runpy.run_module(program, run_name="__main__", alter_sys=True)
    return printed.getvalue()


def all_programs() -> list[str]:
    """Return every file and module that can be run and takes options."""
    listed = subprocess.run(
        ["git", "grep", "-lE", r"^ +(app|typer\.run)\(", "--", "*.py", ":!tests", ":!space"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return [_program(name) for name in listed]


def _program(file: str) -> str:
    """Return how a file is run: stories and a data set's check by their path, all else as a module."""
    if "/" not in file or file.startswith("data/"):
        return file
    return file.removesuffix(".py").removesuffix("/__main__").replace("/", ".")

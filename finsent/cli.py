"""The command line that all stories share: lines and bars on stderr, failures as one line, exit codes.

Exit 0: done. 1: failed, and the last line says why and what to do next. 2: wrong usage, reported by typer.
"""

from __future__ import annotations

import io
import logging
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import typer
from huggingface_hub.utils.tqdm import disable_progress_bars
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from typer.core import TyperGroup

from finsent.errors import FinsentError

_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")

WORTH_TELLING = 60  # seconds from which a stage says how long it is likely to take

console = Console(stderr=True, highlight=False)


def stage(title: str) -> None:
    """Tell a person what begins now."""
    console.print(plain(title), style="bold", markup=False, soft_wrap=True)


def say(line: str) -> None:
    """Tell a person what was found out on the way."""
    console.print(plain(line), markup=False, soft_wrap=True)


def tell_seconds(seconds: float) -> str:
    """Return a time as people say it: seconds, minutes or hours."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def plain(text: str) -> str:
    """Return text without what steers a terminal or turns its direction: it may be a stranger's."""
    return _STEERING.sub("\ufffd", text)


def fail(message: str) -> NoReturn:
    """Print one line that names the command, and exit 1."""
    script = Path(sys.argv[0])
    name = script.parent.name if script.name == "__main__.py" else script.name  # python -m a.b
    say(f"{name}: {message}")
    raise typer.Exit(1)


@contextmanager
def reporting_errors(when_interrupted: str) -> Iterator[None]:
    """Turn what a person can cause into one line and exit 1; a bug keeps its traceback.

    `when_interrupted` follows "interrupted; " where the interruption itself carries no note.
    """
    try:
        yield
    except (FinsentError, OSError) as error:
        fail(str(error))
    except KeyboardInterrupt as stop:
        notes = getattr(stop, "__notes__", [when_interrupted])
        fail(f"interrupted; {notes[0]}")


def take_termination_as_interrupt() -> None:
    """Let a job that is cancelled end like Ctrl-C: said in a line, with nothing left half reported."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def print_anywhere() -> None:
    """Let no letter end a story where the terminal's encoding lacks it: an escape is printed in its place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def quiet_libraries() -> None:
    """Keep the libraries' advice to programmers, and bars that nobody watches, away from a person."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # data workers fork after it started threads
    for name in ("transformers", "optimum", "datasets", "evaluate", "bitsandbytes"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"torch\.|transformers\.|optimum\.|accelerate\.")
    if not console.is_terminal:
        disable_progress_bars()


@contextmanager
def byte_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield a function that takes the number of bytes just done; on a terminal it moves a bar."""
    columns = (TextColumn(title), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=total)
        yield lambda count: bar.advance(task, count)


def confirm(question: str) -> None:
    """Ask once; FinsentError if nobody can answer or the answer is no."""
    if not sys.stdin.isatty():
        raise FinsentError("no terminal to ask on: add --yes to publish, or --dry-run to see only the plan")
    if not typer.confirm(question, err=True):
        raise FinsentError("not published because you answered no; nothing was sent")


def make_app(doc: str | None, **settings: Any) -> typer.Typer:  # noqa: ANN401  (typer's own)
    """Return the command line of a story, whose docstring is its help; lines of examples stay lines there."""
    text = (doc or "").replace("\n\npython", "\n\n\b\npython")  # click fills what has no \b before it
    return typer.Typer(
        help=text, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, **settings
    )


class DefaultCommandGroup(TyperGroup):
    """Commands of which the first may be left out: `story.py X` means `story.py first X`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  (typer's own click)
        """Put the first command before anything that is no command and no call for help."""
        if args and args[0] not in (*self.commands, "--help"):
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)

"""The command line that all stories share: lines and bars on stderr, failures as one line, exit codes.

Exit 0: done. 1: failed, and the last line says why and what to do next. 2: wrong usage, told by typer.
"""

from __future__ import annotations

import errno
import io
import logging
import re
import shutil
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import typer
from filelock import FileLock, Timeout
from huggingface_hub.utils.tqdm import disable_progress_bars
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from safetensors import SafetensorError
from typer.core import TyperGroup

from finsent.errors import FinsentError

LOCK = "lock"  # in a run's folder, held while its release is made
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO, errno.EFBIG}
LEAST_FREE_BYTES = 2 * 10**9  # checkpoints, ONNX files and what is made on the way

_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")

console = Console(stderr=True, highlight=False)


def stage(title: str) -> None:
    """Tell a person what begins now."""
    console.print(plain(title), style="bold", markup=False, soft_wrap=True)


def say(line: str) -> None:
    """Tell a person what was found out on the way."""
    console.print(plain(line), markup=False, soft_wrap=True)


def plain(text: str) -> str:
    """Return text without what steers a terminal or turns its direction: it may be a stranger's."""
    return _STEERING.sub("\ufffd", text)


def fail(message: str) -> NoReturn:
    """Print one line that names the story, and exit 1."""
    say(f"{_story_name()}: {message}")
    raise typer.Exit(1)


def _story_name() -> str:
    """Return train.py for a script, finsent.classify for what `python -m` started."""
    module = getattr(sys.modules["__main__"], "__spec__", None)
    return module.name.removesuffix(".__main__") if module is not None else Path(sys.argv[0]).name


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
    """Let a job that is cancelled end like Ctrl-C: said in a line, with nothing left half told."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def print_anywhere() -> None:
    """Let no letter end a story where the terminal's encoding lacks it: an escape is printed in its place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def quiet_libraries() -> None:
    """Keep the libraries' advice to programmers, and bars that nobody watches, away from a person."""
    for name in ("transformers", "optimum", "datasets", "evaluate"):
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
    """Ask once; FinsentError when nobody can answer or the answer is no."""
    if not sys.stdin.isatty():
        raise FinsentError("nobody to ask here: add --yes to publish, or --dry-run to see only the plan")
    if not typer.confirm(question, err=True):
        raise FinsentError("not published, as answered; nothing was sent")


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold a run's folder alone; FinsentError when another run has it, or it cannot be written."""
    check_disk(folder)
    try:
        with FileLock(folder / LOCK, timeout=0):
            yield
    except Timeout:
        raise FinsentError(
            f"{folder}: another run is making this release; wait for it, or choose another --runs"
        ) from None
    except (FinsentError, OSError):
        raise
    except Exception as error:
        if not is_storage_error(error):
            raise
        message = f"{folder}: cannot be written ({error}); make room and run again with --resume"
        raise FinsentError(message) from error


def check_disk(folder: Path) -> None:
    """Raise FinsentError when there is no room for checkpoints and files; better now than after training."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise FinsentError(
            f"{folder}: {free / 1e9:.1f} GB are free, a run needs {LEAST_FREE_BYTES / 1e9:.0f} GB; make room"
        )


def is_storage_error(error: BaseException) -> bool:
    """Return whether a failed write is behind an error; safetensors and torch have types of their own."""
    while not isinstance(error, (OSError, SafetensorError)):
        following = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if following is None:
            return "PytorchStreamWriter" in str(error)
        error = following
    return isinstance(error, SafetensorError) or error.errno in NO_ROOM


class DefaultCommandGroup(TyperGroup):
    """Commands of which the first may be left out: `story.py X` means `story.py first X`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  (typer's own click)
        """Put the first command before anything that is no command and no call for help."""
        if args and args[0] not in (*self.commands, "--help"):
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)

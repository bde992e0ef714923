"""Several processes that fit one model, as torchrun and accelerate launch start them.

The first does all that a run alone would do. The others wait until it calls them: to fitting, where each
computes the gradients of its share of every batch. They are sent what they need, take no lock and print
nothing; the one thing that they write is the state of their random numbers, into a checkpoint.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from finsent.errors import FinsentError

T = TypeVar("T")
LAUNCHED = ("RANK", "LOCAL_RANK", "WORLD_SIZE")  # variables that a launcher sets
PATIENCE = timedelta(days=7)  # the others wait while a teacher's release is measured; a launcher ends them
LOST = ("Connection closed by peer", "Connection reset by peer", "Broken pipe")  # gloo has no type for it


@contextmanager
def gathered() -> Iterator[bool]:
    """Join the processes that a launcher started; yield True in the first one, and in a run without others.

    The others have done their part when they get here. Raises FinsentError if there are too few GPUs.
    """
    if not all(name in os.environ for name in LAUNCHED):
        yield True
        return
    _join(int(os.environ["RANK"]) == 0)
    if first := is_first():
        yield first
        dismiss_others()
    else:
        _work()
        yield first


def _join(first: bool) -> None:
    here, gpus = int(os.environ.get("LOCAL_WORLD_SIZE", "1")), torch.cuda.device_count()
    if gpus and here > gpus:
        if not first:  # it is said once
            raise SystemExit(1)
        raise FinsentError(f"{here} processes were started, but this machine has {gpus} GPUs; start {gpus}")
    if not gpus:  # accelerate would say "cpu:0", where torch cannot restore an optimizer to
        os.environ.setdefault("ACCELERATE_TORCH_DEVICE", "cpu")
    dist.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo", timeout=PATIENCE)


def _work() -> None:
    """Do what the first process calls for until it calls for nothing more; it also says what goes wrong."""
    try:
        while (job := agree(None)) is not None:
            job()
    except (KeyboardInterrupt, FinsentError):  # the first process fails in the same way, and says so
        raise SystemExit(1) from None
    except RuntimeError as error:
        if _is_lost(error):
            raise SystemExit(1) from None
        raise
    dist.destroy_process_group()


def run_in_all(work: Callable[[], T]) -> T:
    """Do some work in all processes at once, and return what came of it in this one, the first.

    `work` is pickled for the others. Raises FinsentError if one of them has ended.
    """
    try:
        agree(work)
        return work()
    except RuntimeError as error:
        if not _is_lost(error):
            raise
        raise FinsentError(
            f"one of the {count_processes()} processes has ended; the launcher says below which one and why. "
            "Run again with --resume to continue"
        ) from error


def dismiss_others() -> None:
    """Let the other processes end with status 0; what is left to do, the first one does alone."""
    if dist.is_initialized():
        agree(None)
        dist.destroy_process_group()


def agree(value: Any) -> Any:  # noqa: ANN401  (whatever the first process has)
    """Return the first process's value in all of them; all have to ask for it at the same time."""
    if not dist.is_initialized():
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
    return value if is_first() else box[0]


def count_processes() -> int:
    """Return how many processes share the fitting."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Return the number of this process among them, 0 for the first."""
    return dist.get_rank() if dist.is_initialized() else 0


def is_first() -> bool:
    """Tell whether this process is the one that reads, writes and speaks."""
    return rank() == 0


def tell_processes() -> str:
    """Return how many processes there are, for the end of a line; nothing where there is one."""
    return f", shared by {count_processes()} processes" if count_processes() > 1 else ""


def check_share(batch_size: int) -> None:
    """Raise FinsentError if the processes cannot share a batch evenly."""
    count = count_processes()
    if batch_size % count:
        allowed = [str(number) for number in range(1, batch_size + 1) if batch_size % number == 0]
        raise FinsentError(
            f"training.batch_size: got {batch_size}, which {count} processes cannot share evenly; start a "
            f"number that divides it ({', '.join(allowed)}), or choose a multiple of {count}"
        )


def _is_lost(error: RuntimeError) -> bool:
    """Tell whether an error means that another process is gone."""
    return isinstance(error, dist.DistError) or any(sign in str(error) for sign in LOST)

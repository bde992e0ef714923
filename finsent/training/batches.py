"""How many rows of a batch are computed at a time: long ones in parts, so that their memory stays small.

The gradients of the parts add up to those of the batch. What a row keeps for them grows with its tokens, and
with their square for the attention. On MiniLM's six layers 32 rows of 256 tokens keep 3 GB.
"""

from __future__ import annotations

from finsent.errors import FinsentError
from finsent.recipe.training import Training

NEIGHBOURS = 256  # a token keeps about as much of so many others as of itself
MOST_KEPT = 11_000  # tokens, with what they keep of others: 2 GB on MiniLM's six layers


def rows_at_once(training: Training, processes: int = 1) -> int:
    """Return the most rows that divide a process's share into equal parts and keep little enough, or one."""
    share = training.batch_size // processes
    sizes = (size for size in range(share, 0, -1) if share % size == 0)
    return next((size for size in sizes if _kept(size, training.max_tokens) <= MOST_KEPT), 1)


def check_pairs_fit(training: Training, processes: int) -> None:
    """Raise FinsentError where rows of a pair would be computed apart, without a margin between them."""
    at_once = rows_at_once(training, processes)
    if training.pair_margin and at_once < training.batch_size:
        raise FinsentError(
            f"training.pair_margin: got {training.pair_margin}, but of the {training.batch_size} rows of a "
            f"batch {at_once} are computed at a time here, which would part pairs; use one process, a "
            "smaller training.batch_size or fewer training.max_tokens, or set it to 0"
        )


def _kept(rows: int, tokens: int) -> float:
    return rows * tokens * (1 + tokens / NEIGHBOURS)

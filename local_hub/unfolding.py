"""To what the files of a shard unfold, before a byte is written: some kB of terms can name terabytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from local_hub.errors import HubError, bad_request
from local_hub.xet_formats import FileRecipe, Term

# lz4 packs at most 255 to 1, and what repeats is sent once: models stay far below, what fills disks above.
_FREE_BYTES, _RATIO = 1 << 30, 64
# Chunks have 8 KiB at least, except the last one of a file.
_CHUNK_BYTES, _FREE_CHUNKS = 1 << 10, 1000


def allowance(packed: int) -> int:
    """To how many bytes all files of a repository may unfold that was sent `packed` bytes of xorbs."""
    return _FREE_BYTES + _RATIO * packed


def check_unfolding(
    recipes: Sequence[FileRecipe], ends_of: Callable[[str], Sequence[int]], *, budget: int
) -> None:
    """400 when a term is not as long as it says, 413 when the files are over `budget` bytes together.

    `ends_of` gives for a xorb where each of its chunks ends, unpacked.
    """
    if sum(recipe.size for recipe in recipes) > budget:
        raise HubError(
            413,
            "The files of this shard unfold to far more than was uploaded. Upload fewer at once, or by LFS.",
        )
    remembered = lru_cache(maxsize=256)(ends_of)
    for recipe in recipes:
        runs = sum(term.end - term.start for term in recipe.terms)
        if runs > _FREE_CHUNKS + recipe.size // _CHUNK_BYTES:
            raise bad_request("The shard names chunks that are smaller than the format allows.")
        for term in recipe.terms:
            _check_term(term, remembered(term.xorb))


def _check_term(term: Term, ends: Sequence[int]) -> None:
    before = ends[term.start - 1] if 0 < term.start < len(ends) else 0
    if term.end > len(ends) or ends[term.end - 1] - before != term.length:
        raise bad_request(f"The shard names a run of the xorb {term.xorb} that is not as long as it says.")

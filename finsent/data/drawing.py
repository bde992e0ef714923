"""Which split a group of rows is drawn for: by the hash of its name, and evenly where a class is small."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from finsent.recipe.data import Data, SplitName

FEW = 20  # groups of a label that a split should get; with fewer, chance alone would part them badly
LEAST = 5  # groups of a label from which on each split gets one, however small its share


@dataclass(frozen=True)
class Shares:
    """How much of the circle from 0 to 1 is for the test and, behind it, for validation."""

    test: float
    validation: float

    def smallest(self) -> float:
        """Return the smaller of those that are not zero; 1 where nothing is drawn."""
        return min((share for share in (self.test, self.validation) if share), default=1.0)


@dataclass(frozen=True)
class Group:
    """What decides over a group: the labels of its rows, and the splits that are closed to it."""

    labels: frozenset[str]
    closed: frozenset[SplitName]


def draw_splits(groups: Mapping[str, Group], data: Data, seed: int) -> dict[str, SplitName]:
    """Return the split of each group by its name.

    A stratum is the groups of one label (of several, the rarest) to which the same splits are closed. A large
    one is shared out by a hash alone, so that no group moves because others come; in a small one the groups
    are placed at equal distances, in the order of their hashes, so that each split gets its share.
    """
    strata: dict[tuple[str, frozenset[SplitName]], list[str]] = defaultdict(list)
    kinds = Counter(groups.values())
    count = Counter[str]()
    for group, number in kinds.items():
        count.update(dict.fromkeys(group.labels, number))
    rarest = {group: min(group.labels, key=lambda label: (count[label], label)) for group in kinds}
    for name, group in groups.items():
        strata[rarest[group], group.closed].append(name)
    drawn: dict[str, SplitName] = {}
    for (_, closed), names in strata.items():
        drawn.update(_draw_stratum(names, _shares(data, closed), data, seed))
    return drawn


def _draw_stratum(names: list[str], shares: Shares, data: Data, seed: int) -> Iterator[tuple[str, SplitName]]:
    """Yield each name with its split."""
    if len(names) * shares.smallest() >= FEW:
        yield from ((name, _split_at(_hash_name(name, seed), shares, data)) for name in names)
        return
    wide = _widen(shares, len(names), data)
    for rank, name in enumerate(sorted(names, key=lambda name: _hash_name(name, seed))):
        yield name, _split_at((rank + 0.5) / len(names), wide, data)


def _shares(data: Data, closed: frozenset[SplitName]) -> Shares:
    if data.fold is not None:
        return Shares(1 / data.fold.of, data.validation)
    return Shares(
        test=0.0 if "test" in closed else data.test,
        validation=0.0 if "validation" in closed else data.validation,
    )


def _widen(shares: Shares, count: int, data: Data) -> Shares:
    """Give each split that is drawn for room for one of `count` groups; folds keep their parts."""
    if count < LEAST:
        return shares
    test, validation = (max(share, 1 / count) if share else 0.0 for share in (shares.test, shares.validation))
    return Shares(shares.test if data.fold else test, validation)


def _hash_name(name: str, seed: int) -> float:
    digest = hashlib.sha256(f"{seed}:{name}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _split_at(place: float, shares: Shares, data: Data) -> SplitName:
    if data.fold is not None:  # turned, so that every fold takes another part of the same circle
        place = (place - data.fold.index / data.fold.of) % 1
    return (
        "test"
        if place < shares.test
        else "validation"
        if place < shares.test + shares.validation
        else "train"
    )

"""How often a suite goes well; apart from what runs suites, for those who only read metrics.json."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SuiteRate:
    """How many cases of a suite went well; `low` and `high` bound a 95 % Wilson interval of `rate` (0..1)."""

    name: str
    measures: str
    n: int
    passed: int
    rate: float
    low: float
    high: float

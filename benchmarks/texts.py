"""Texts to time a release with: the headlines of this repository."""

from __future__ import annotations

import csv

from finsent import REPOSITORY


def headlines() -> list[str]:
    """Return the texts of data/headlines, those of the test first."""
    found = []
    for name in ("test.csv", "train.csv"):
        with (REPOSITORY / "data" / "headlines" / name).open(encoding="utf-8", newline="") as file:
            found += [row["text"] for row in csv.DictReader(file)]
    return found

"""The version stands in one place, and the changelog tells of it."""

from __future__ import annotations

import re
from datetime import date

import finsent

HEADINGS = re.findall(
    r"^## (.*)$", (finsent.REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
)


def test_what_is_unreleased_stands_first_and_every_other_section_has_its_date() -> None:
    assert HEADINGS[0] == "Unreleased"
    dates = []
    for heading in HEADINGS[1:]:
        version, _, day = heading.partition(" - ")
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), heading
        dates.append(date.fromisoformat(day))
    assert dates == sorted(dates, reverse=True)


def test_the_newest_section_is_that_of_this_version() -> None:
    assert HEADINGS[1].partition(" - ")[0] == finsent.__version__

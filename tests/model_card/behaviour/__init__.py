"""Suites over a released model: what it should answer alike, apart, and without hesitation.

They are reported in the card as rates, not as pass or fail; cases and judging live in model_card/behaviour.
`python -m tests.model_card.behaviour RELEASE` runs them over any release and tells each failure.
"""

from __future__ import annotations

from finsent import REPOSITORY
from finsent.data.rows import Row
from finsent.data.sources.fetch import Places
from finsent.data.sources.read import read_source
from finsent.recipe.file import load_recipe

RECIPE = load_recipe(REPOSITORY / "recipes" / "quickstart.yaml")


def held_out_headlines() -> list[Row]:
    """Return the test rows of the project's headlines."""
    source = RECIPE.data.sources[0]
    return [row for row in read_source(source, Places()).rows if row.split == "test"]

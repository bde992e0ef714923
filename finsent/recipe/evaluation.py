"""Section on evaluation: how the figures are made."""

from __future__ import annotations

from pydantic import Field

from finsent.recipe.section import Section


class Evaluation(Section):
    """How the release is measured."""

    bootstrap: int = Field(1000, ge=100, description="resamples for the 95 % interval")
    latency_texts: int = Field(300, ge=10, description="test rows timed one by one")
    abstain_error: float = Field(
        0.1, gt=0, lt=1, description="allowed share of wrong answers; the threshold is fitted to it"
    )
    batch_size: int = Field(32, ge=2, description="batch size for measuring")
    suites: list[str] = Field(
        [],
        exclude_if=lambda suites: not suites,  # recipes from before it keep their fingerprint
        description="folders of behaviour suites, relative to the recipe file or, if they are not there, "
        "to the repository; the general ones (case, punctuation, typos, length) are always run",
    )

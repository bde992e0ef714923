"""A search: which keys of a recipe may take which values, and how many trials look among them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from finsent.recipe.section import Placed, Section, Seed

Kind = Literal["log", "linear", "int", "choice"]
KINDS: tuple[Kind, ...] = ("log", "linear", "int", "choice")
Bounds = Annotated[list[float], Field(min_length=2, max_length=2)]
WholeBounds = Annotated[list[int], Field(min_length=2, max_length=2)]


class Range(Section):
    """The values that a key may take: exactly one of log, linear, int and choice."""

    log: Bounds | None = Field(None, description="lowest and highest number; drawn evenly by their logarithm")
    linear: Bounds | None = Field(None, description="lowest and highest number; drawn evenly")
    whole: WholeBounds | None = Field(
        None, alias="int", description="lowest and highest whole number, both included"
    )
    step: int = Field(1, ge=1, description="of int: distance between the numbers, from the lowest")
    choice: list[Any] | None = Field(None, min_length=2, description="the values themselves, of any type")

    @field_validator("log", "linear", mode="before")
    @classmethod
    def _are_numbers(cls, bounds: Any) -> Any:  # noqa: ANN401  (whatever stands in the file)
        for one in bounds if isinstance(bounds, list) else ():
            if isinstance(one, str):
                raise ValueError(f"got the text {one!r}; numbers in YAML have a point, such as 2.0e-5")
        return bounds

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        given = [kind for kind in KINDS if self._given(kind) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(KINDS)}, got {', '.join(given) or 'none'}")
        if self.step != 1 and self.kind != "int":
            raise ValueError(f"step: is for int; leave it out with {self.kind}")
        if self.kind == "choice":
            written = [json.dumps(one, sort_keys=True) for one in self.values]
            if len(set(written)) != len(written):
                raise ValueError(f"choice: values must differ, got {', '.join(written)}")
        elif self.values[0] >= self.values[1]:
            raise ValueError(f"{self.kind}: give the lower bound first, got {self.values}")
        if self.kind == "log" and self.values[0] <= 0:
            raise ValueError(f"log: bounds must be above 0, got {self.values}; use linear")
        return self

    def _given(self, kind: Kind) -> list[Any] | None:
        return {"log": self.log, "linear": self.linear, "int": self.whole, "choice": self.choice}[kind]

    @property
    def kind(self) -> Kind:
        """Which of the four it is."""
        return next(kind for kind in KINDS if self._given(kind) is not None)

    @property
    def values(self) -> list[Any]:
        """The bounds, or the values to choose from."""
        return self._given(self.kind) or []


class Search(Placed):
    """One search. Its trials are scored on the validation rows of the recipe, and on nothing else."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]*$", description="name of the search and of its folder in runs/"
    )
    recipe: str = Field(description="recipe file to start from, relative to this file")
    space: dict[str, Range] = Field(
        {}, description="key of the recipe, such as training.epochs -> its values; default: common keys"
    )
    trials: int = Field(20, ge=1, description="settings to try; those that are stopped early count, too")
    startup: int = Field(
        5, ge=1, description="finished trials before the sampler proposes and the pruner stops any"
    )
    pruner: Literal["median", "none"] = Field(
        "median", description="median: stop a trial that is below the median of those before it"
    )
    finalists: int = Field(3, ge=1, description="best trials to train again, beside the recipe itself")
    seeds: int = Field(3, ge=1, le=20, description="training seeds with which each of these is trained")
    seed: Seed = Field(0, description="seed of what is tried")

    @property
    def recipe_file(self) -> Path:
        """Where the recipe lies that is started from."""
        return (self.home or Path()) / self.recipe

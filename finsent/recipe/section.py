"""What every section of a recipe is, and the types that several of them use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    model_validator,
)

from finsent.hub_id import PATTERN, check_hub_id

Share = Annotated[float, Field(ge=0, le=1)]
HubId = Annotated[str, Field(json_schema_extra={"pattern": PATTERN}), AfterValidator(check_hub_id)]
Version = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Section(BaseModel):
    """A part of a recipe: unknown keys are errors, values are not converted, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Placed(Section):
    """What is read from a file of its own. Two are equal when they say the same, wherever their files lie."""

    _home: Path | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _keeps_its_home(self, info: ValidationInfo) -> Self:
        self._home = (info.context or {}).get("home", self._home)
        return self

    @property
    def home(self) -> Path | None:
        """The folder of the recipe file, beside which its data may lie; None where it is not known."""
        return self._home

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.__dict__ == other.__dict__

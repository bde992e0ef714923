"""What every section of a recipe is, and the types that several of them use."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from finsent.hub_id import PATTERN, check_hub_id

Share = Annotated[float, Field(ge=0, le=1)]
HubId = Annotated[str, Field(json_schema_extra={"pattern": PATTERN}), AfterValidator(check_hub_id)]
Version = Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Section(BaseModel):
    """A part of a recipe: unknown keys are errors, values are not converted, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

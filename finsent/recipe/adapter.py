"""Section on adapters: what is trained beside an encoder that stays as it is, and then merged into it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from finsent.recipe.section import Section

MATRICES = ("rank", "alpha", "dropout")  # keys of low-rank matrices, which factors do not have
RANK = 8


class Adapter(Section):
    """Small weights next to the encoder's linear layers. Only they, the head and the pooler are trained."""

    kind: Literal["lora", "qlora", "ia3"] = Field(
        description="lora: two low-rank matrices per layer; qlora: the same, with layers stored in 4 bits; "
        "ia3: a factor for every output of a layer, or for every input if the layer has fewer outputs"
    )
    rank: int | None = Field(None, ge=1, description=f"rank of the matrices; default: {RANK}")
    alpha: float | None = Field(
        None,
        gt=0,
        description="the product of the matrices is scaled by alpha / rank; default: twice the rank",
    )
    dropout: float | None = Field(
        None, ge=0, lt=1, description="dropout of the matrices' inputs in training; default: none"
    )
    targets: list[Annotated[str, Field(min_length=1)]] = Field(
        [],
        description="linear layers of the encoder by the last parts of their path, such as query or "
        "attention.output.dense; default: all of them",
    )

    @model_validator(mode="after")
    def _factors_have_no_matrices(self) -> Self:
        given = [key for key in MATRICES if getattr(self, key) is not None]
        if self.kind == "ia3" and given:
            raise ValueError(
                f"{given[0]}: an adapter of kind ia3 has no matrices; leave {', '.join(given)} out, and "
                "if the recipe extends another one, write replace: [adapter]"
            )
        return self

    @property
    def effective_rank(self) -> int:
        """The rank, also where the recipe leaves it to us."""
        return RANK if self.rank is None else self.rank

    @property
    def effective_alpha(self) -> float:
        """What the matrices' product is multiplied by, times the rank."""
        return 2.0 * self.effective_rank if self.alpha is None else self.alpha

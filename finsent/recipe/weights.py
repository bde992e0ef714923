"""Section on weights that are there already: where a recipe finds an encoder."""

from __future__ import annotations

from pydantic import Field

from finsent.recipe.section import HubId, Section


class Weights(Section):
    """An encoder as transformers saves it: in a Python package, in a folder, or on the Hub."""

    hub: HubId = Field(description="origin, for the card; also loaded from there without package or path")
    licence: str = Field(description="Hub licence id of the encoder's weights")
    revision: str | None = Field(None, description="commit, tag or branch of the Hub model")
    package: str | None = Field(None, description="Python package with the weights")
    folder: str = Field(".", description="folder inside the package")
    path: str | None = Field(
        None,
        description="folder with the encoder as transformers saves it, relative to the recipe file or, if it "
        "is not there, to the repository",
    )
    sha256: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{64}$",
        description="sha256 of the weights: model.safetensors or pytorch_model.bin",
    )

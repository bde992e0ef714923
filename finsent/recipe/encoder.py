"""Section on the encoder: what a release starts from, and what of it stays."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from finsent.recipe.section import HubId, Section


class TextToText(Section):
    """How a T5 answers by words, as it was pretrained to: without it, a head is put on its decoder."""

    prefix: str = Field(
        min_length=1,
        max_length=40,
        description="stands before every text, such as `sentiment:`; compiled into the tokenizer",
    )
    words: dict[str, str] = Field(
        description="label to the word that stands for it; what counts is its first piece, which must differ"
    )


class Base(Section):
    """The encoder to start from: a Python package, a folder, or a Hub model."""

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
    layers: list[Annotated[int, Field(ge=0)]] | None = Field(
        None, min_length=1, description="layers to keep, in order"
    )
    vocabulary: int | None = Field(
        None, ge=500, description="number of tokens to keep, by frequency in the training rows"
    )
    characters: Literal["all", "latin"] = Field(
        "all",
        description="scripts to keep; latin: letters of other scripts only if training rows have them",
    )
    positions: int | None = Field(
        None,
        ge=32,
        description="most tokens in a text: fewer than the encoder has, or more",
    )
    intermediate_size: int | None = Field(
        None,
        ge=8,
        description="neurons to keep in every feed-forward layer: those that others can replace least",
    )
    hidden_size: int | None = Field(
        None, ge=8, description="size to project hidden states to, along their principal components"
    )
    text_to_text: TextToText | None = Field(
        None,
        exclude_if=lambda form: form is None,  # recipes from before it keep their fingerprint
        description="of a T5: answer by words, where there would be a head",
    )
    slim_attention: bool = Field(
        False,
        exclude_if=lambda slim: not slim,  # recipes from before it keep their fingerprint
        description="of a T5 text to text, in fp32 alone: the ONNX file makes the decoder's values from its "
        "keys; half the cache where many words are written, nothing gained for one",
    )

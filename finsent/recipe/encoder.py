"""Section on the encoder: what a release starts from, and what of it stays."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from finsent.recipe.pretraining import Pretraining
from finsent.recipe.section import Section
from finsent.recipe.weights import Weights

PLACES = ("revision", "package", "path", "sha256")


class TextToText(Section):
    """A T5 answers with words, as it was pretrained to do. Without this section, its decoder gets a head."""

    prefix: str = Field(
        min_length=1,
        max_length=40,
        description="put before every text, such as `sentiment:`; compiled into the tokenizer",
    )
    words: dict[str, str] = Field(
        description="label -> the word for it; only the first piece of a word counts, so these must differ"
    )


class Base(Weights):
    """The encoder to start from: a package that carries it, a folder, a Hub model, or a recipe for one."""

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
    embedding_rank: int | None = Field(
        None,
        ge=8,
        exclude_if=lambda rank: rank is None,  # recipes from before it keep their fingerprint
        description="for BERT: numbers to keep for every token in the table; a linear layer turns them into "
        "the hidden size, and the release becomes an ELECTRA",
    )
    text_to_text: TextToText | None = Field(
        None,
        exclude_if=lambda form: form is None,  # recipes from before it keep their fingerprint
        description="for T5: answer with words instead of a head",
    )
    slim_attention: bool = Field(
        False,
        exclude_if=lambda slim: not slim,  # recipes from before it keep their fingerprint
        description="for T5 text to text in fp32: the ONNX file computes the decoder's values from its keys. "
        "This halves the cache when many words are written, but gains nothing for one",
    )
    recipe: Pretraining | None = Field(
        None,
        exclude_if=lambda recipe: recipe is None,  # recipes from before it keep their fingerprint
        description="recipe file of a pretraining; the encoder is built first if it is not in runs/, and "
        "its Hub id and licence are used",
    )

    @model_validator(mode="after")
    def _rank_is_below_the_hidden_size(self) -> Self:
        if self.embedding_rank and self.hidden_size and self.embedding_rank >= self.hidden_size:
            raise ValueError(
                f"embedding_rank: got {self.embedding_rank}, allowed are numbers below hidden_size, "
                f"{self.hidden_size}; leave it out to keep the whole table"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _takes_over_what_its_recipe_says(cls, tree: Any) -> Any:  # noqa: ANN401  (whatever stands in the file)
        made = tree.get("recipe") if isinstance(tree, dict) else None
        if not isinstance(made, dict):
            return tree
        base = made.get("base")
        own = base if isinstance(base, dict) else {}
        told = {"hub": made.get("hub") or own.get("hub"), "licence": made.get("licence")}
        return {key: value for key, value in told.items() if value is not None} | tree

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> Self:
        if self.recipe is None:
            return self
        for key in PLACES:
            if getattr(self, key) is not None:
                raise ValueError(f"{key}: recipe says where the encoder comes from; leave {key} out")
        for key in ("hub", "licence"):
            if (got := getattr(self, key)) != (own := getattr(self.recipe, f"encoder_{key}")):
                raise ValueError(
                    f"{key}: got {got!r}, but the encoder of {self.recipe.name} has {own!r}; leave {key} "
                    "out, and where another recipe is extended write replace: [base]"
                )
        return self

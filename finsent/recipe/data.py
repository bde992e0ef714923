"""Sections on data: where rows come from and how they are split."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from finsent.recipe.section import HubId, Section, Share

AgreementLevel = Literal["50", "66", "75", "All"]
SplitName = Literal["train", "validation", "test"]


class _Source(Section):
    """Where rows come from: `path` (in this repository), `hub` (data set id) or `url` named by `hub`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="short name, used in metrics and tables")
    title: str
    licence: str = Field(description="Hub licence id, for example cc-by-4.0")
    homepage: str | None = None
    path: str | None = Field(None, description="folder, relative to the repository or absolute")
    hub: HubId | None = Field(None, description="data set id; FINSENT_MIRROR is asked first")
    revision: str | None = Field(None, description="commit, tag or branch of the Hub data set")
    url: str | None = Field(None, description="base address for sources that are not on the Hub")
    files: dict[SplitName, list[str]] = Field(
        min_length=1, description="files per split, relative to the source"
    )
    labels: dict[str, str] = Field(min_length=1, description="the source's label -> label of this recipe")
    show_texts: bool = Field(
        False, description="whether the card may show test rows that the model got wrong, word by word"
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.hub is None):
            raise ValueError("give exactly one of path and hub (url needs hub as its name in the mirror)")
        return self


class TableSource(_Source):
    """CSV, JSONL or Parquet with a text and a label column."""

    kind: Literal["table"]
    text: str = "text"
    label: str = "label"
    group: str | None = Field(None, description="column whose equal values stay on one side of a split")
    slice: str | None = Field(None, description="column by which figures are also given")


class PhrasebankSource(_Source):
    """Financial PhraseBank's zip: `sentence@label`, latin-1, nested files by annotator agreement."""

    kind: Literal["phrasebank"]
    agreement: AgreementLevel = "50"
    label_probabilities: dict[AgreementLevel, Share] = Field(
        {}, description="probability that is learnt for a label, by the agreement of its annotators; else 1"
    )


class EntitySource(_Source):
    """SEntFiN's CSV: a dict entity -> label a headline; headlines whose entities disagree are left out."""

    kind: Literal["entities"]
    text: str = "Title"
    entities: str = "Decisions"


Source = Annotated[TableSource | PhrasebankSource | EntitySource, Field(discriminator="kind")]


class Fold(Section):
    """One part of a cross-validation: the groups of part `index` of `of` are the test rows."""

    index: int = Field(ge=0)
    of: int = Field(ge=2, le=100)

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if self.index >= self.of:
            raise ValueError(f"index must be below of, got {self.index} of {self.of}")
        return self


class Data(Section):
    """Sources and splits; `validation` and `test` apply where a source brings no file for that split."""

    sources: list[Source] = Field(min_length=1)
    leave_out: list[str] = Field(
        [], description="names of sources that are not used, for a recipe that extends another"
    )
    fold: Fold | None = Field(
        None, description="test is this fold, and every source is split anew, whatever files it brings"
    )
    validation: Share = 0.1
    test: Share = 0.15
    near_duplicates: float = Field(
        0.7, gt=0, le=1, description="char-5-gram Jaccard from which rows stay together"
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_sources_out(cls, tree: Any) -> Any:  # noqa: ANN401  (whatever stands in the file)
        section = tree if isinstance(tree, dict) else {}
        sources, left = section.get("sources"), section.get("leave_out")
        if not (isinstance(left, list) and left and isinstance(sources, list)):
            return tree
        if not all(isinstance(source, dict) for source in sources):
            return tree  # the checks of each source say what is wrong
        names = [source.get("name") for source in sources]
        if unknown := [name for name in left if name not in names]:
            raise ValueError(f"leave_out: unknown source {unknown[0]!r}, allowed: {names}")
        used = [source for source in sources if source.get("name") not in left]
        return section | {"sources": used, "leave_out": []}

    @model_validator(mode="after")
    def _leaves_rows_for_training(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation and test must be below 1 together, got {self.validation} and {self.test}"
            )
        return self

    @field_validator("sources")
    @classmethod
    def _names_differ(cls, sources: list[Source]) -> list[Source]:
        names = [source.name for source in sources]
        if len(set(names)) != len(names):
            raise ValueError(f"source names must differ, got {names}")
        return sources

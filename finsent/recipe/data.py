"""Sections on data: where rows come from and how they are split."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from finsent.recipe.section import HubId, Section, Share

AgreementLevel = Literal["50", "66", "75", "All"]
SplitName = Literal["train", "validation", "test"]


def _is_empty(value: object) -> bool:
    return not value


def _is(default: str) -> Callable[[object], bool]:
    """Return what leaves a key out of a dump at its default: recipes from before keep their fingerprint."""
    return lambda value: value == default


class Origin(Section):
    """Where data come from: `path` (beside the recipe), `hub` (data set id) or `url` named by `hub`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="short name, used in metrics and tables")
    title: str = Field(description="what the card calls it")
    licence: str = Field(
        description="Hub licence id, for example cc-by-4.0; other: its own terms, or none given"
    )
    homepage: str | None = Field(None, description="web page of the source")
    path: str | None = Field(
        None, description="folder, relative to the recipe file or, if it is not there, to the repository"
    )
    hub: HubId | None = Field(None, description="data set id; FINSENT_MIRROR is searched first")
    revision: str | None = Field(None, description="commit, tag or branch of the Hub data set")
    url: str | None = Field(None, description="base address of files that are not on the Hub")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.hub is None):
            raise ValueError("give exactly one of path and hub (url needs hub as its name in the mirror)")
        return self


class _Source(Origin):
    """Labelled rows."""

    files: dict[SplitName, Annotated[list[str], Field(min_length=1)]] = Field(
        {}, exclude_if=_is_empty, description="files by split, relative to the source; * and ? are wildcards"
    )
    labels: dict[str, str | None] = Field(
        min_length=1, description="the source's label -> label of this recipe, or null to leave out its rows"
    )
    show_texts: bool = Field(
        False, description="whether the card may show test rows that the model got wrong, word by word"
    )

    @property
    def own_splits(self) -> set[SplitName]:
        """The splits that the source brings rows for by itself."""
        return set(self.files)

    @property
    def learns_shares(self) -> bool:
        """Whether a label's target in training is the share of annotators who chose it."""
        return False

    @model_validator(mode="after")
    def _brings_rows(self) -> Self:
        if not self.own_splits:
            raise ValueError("files: give at least one file of one split, such as {train: [rows.csv]}")
        return self


class TableFormat(Section):
    """How the rows stand in the files, where that is not plain: UTF-8, a header, the format's delimiter."""

    columns: list[str] | None = Field(
        None, min_length=1, exclude_if=_is_empty, description="names of the columns, if there is no header"
    )
    encoding: str = Field(
        "utf-8",
        exclude_if=_is("utf-8"),
        description="encoding of text files, such as cp1252; a byte-order mark takes precedence",
    )
    mixed_encodings: bool = Field(
        False,
        exclude_if=_is_empty,
        description="lines that are UTF-8 in a file that is not are read as UTF-8, others by `encoding`",
    )
    delimiter: str | None = Field(
        None,
        min_length=1,
        max_length=1,
        exclude_if=_is_empty,
        description="character between cells; default: a comma in .csv, a tab in .tsv and .txt",
    )
    quoting: Literal["doubled", "backslash", "none"] = Field(
        "doubled",
        exclude_if=_is("doubled"),
        description='a quote in a quoted cell is "" or \\"; none: quotes have no meaning',
    )
    sheet: str | None = Field(None, exclude_if=_is_empty, description="sheet of an .xlsx with several sheets")
    member: str | None = Field(None, exclude_if=_is_empty, description="file in a .zip with several files")
    config: str | None = Field(
        None, exclude_if=_is_empty, description="configuration of a Hub data set that is read by `splits`"
    )
    where: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(
        {}, exclude_if=_is_empty, description="column -> values; keeps only rows with one of these values"
    )
    take: int | None = Field(
        None,
        ge=1,
        exclude_if=_is_empty,
        description="number of rows to draw with the recipe's seed, labels in proportion",
    )

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        try:
            "a".encode(encoding)
        except (LookupError, ValueError):
            raise ValueError(
                f"{encoding!r} is not a text encoding; utf-8, utf-16, cp1252, latin-1, gb18030 are some"
            ) from None
        return encoding

    @field_validator("delimiter")
    @classmethod
    def _parts_cells(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and delimiter in '"\\\r\n\0':
            raise ValueError(f"{delimiter!r} cannot separate cells")
        return delimiter

    def given(self) -> set[str]:
        """Return the keys of how a file is written that differ from their defaults."""
        fields = TableFormat.model_fields
        keys = ("columns", "encoding", "mixed_encodings", "delimiter", "quoting", "sheet", "member")
        return {key for key in keys if getattr(self, key) != fields[key].default}


class TableSource(_Source, TableFormat):
    """Rows with a text and a label: CSV, TSV, JSON, Parquet, XLSX, or splits of a Hub data set."""

    kind: Literal["table"] = Field(description="which reader")
    text: str = Field("text", description="column of the texts")
    label: str = Field("label", description="column of the labels")
    group: str | None = Field(None, description="rows with the same value in this column stay in one split")
    slice: str | None = Field(None, description="figures are also given for each value of this column")
    splits: dict[SplitName, str] = Field(
        {},
        exclude_if=_is_empty,
        description="split here -> split of the Hub data set, read by `datasets` instead of `files`",
    )

    @property
    def own_splits(self) -> set[SplitName]:
        """The splits that the source brings rows for by itself."""
        return {*self.files, *self.splits}

    @model_validator(mode="after")
    def _is_read_one_way(self) -> Self:
        _check_one_way(self, bool(self.files), bool(self.splits))
        return self


class TextSource(Origin, TableFormat):
    """Texts without labels, for pretraining and transfer sets. In a .txt file, every line is a text."""

    text: str = Field("text", description="column; not used for .txt")
    files: list[str] = Field([], description="relative to the source; * and ? are wildcards")
    splits: list[str] = Field([], description="of the Hub data set, read by `datasets` instead of `files`")
    sentences: str | None = Field(
        None,
        pattern=r"^[a-z]{2,3}$",
        description="ISO 639 code of the language whose rules cut every text into sentences",
    )
    min_characters: int = Field(1, ge=1, description="shorter texts are left out")
    max_characters: int | None = Field(None, ge=1, description="longer texts are left out")
    min_letters: Share = Field(
        0.0, description="smallest share of letters and digits among characters other than spaces"
    )
    max_digits: Share = Field(
        1.0,
        exclude_if=lambda share: share == 1.0,  # recipes from before it keep their fingerprint
        description="largest share of digits among characters other than spaces",
    )
    max_repeats: int | None = Field(
        None, ge=1, description="lines that appear in more texts than this are removed as boilerplate"
    )

    @model_validator(mode="after")
    def _is_read_one_way(self) -> Self:
        _check_one_way(self, bool(self.files), bool(self.splits))
        if self.max_characters is not None and self.max_characters < self.min_characters:
            raise ValueError(f"max_characters: {self.max_characters} is below min_characters")
        return self


def _check_one_way(source: TableSource | TextSource, files: bool, splits: bool) -> None:
    """Raise ValueError unless rows come from files or from splits of a Hub data set, with keys for that."""
    if files == splits:
        raise ValueError("give exactly one of files and splits")
    if splits and (source.hub is None or source.url is not None):
        raise ValueError("splits: is for Hub data sets; give hub without url, or use files")
    if splits and (told := sorted(source.given())):
        raise ValueError(f"{told[0]}: is for files; leave it out with splits")
    if files and source.config is not None:
        raise ValueError("config: is for splits of a Hub data set; leave it out with files")


class PhrasebankSource(_Source):
    """Financial PhraseBank's zip: `sentence@label`, latin-1, nested files by annotator agreement."""

    kind: Literal["phrasebank"] = Field(description="which reader")
    agreement: AgreementLevel = Field("50", description="smallest share of annotators that agree")
    label_probabilities: dict[AgreementLevel, Share] = Field(
        {}, description="target probability of a label, by the agreement of its annotators; default: 1"
    )

    @property
    def learns_shares(self) -> bool:
        """Whether a label's target in training is the share of annotators who chose it."""
        return bool(self.label_probabilities)


class EntitySource(_Source):
    """SEntFiN's CSV: a dict entity -> label for each headline. Headlines with several labels are left out."""

    kind: Literal["entities"] = Field(description="which reader")
    text: str = Field("Title", description="column of the texts")
    entities: str = Field("Decisions", description="column of the dict entity -> label")


Source = Annotated[TableSource | PhrasebankSource | EntitySource, Field(discriminator="kind")]


class Fold(Section):
    """One fold of a cross-validation: the groups of fold `index` of `of` are the test rows."""

    index: int = Field(ge=0, description="number of this fold, from 0")
    of: int = Field(ge=2, le=100, description="number of folds")

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if self.index >= self.of:
            raise ValueError(f"index must be below of, got {self.index} of {self.of}")
        return self


class Data(Section):
    """Sources and splits. `validation` and `test` apply to sources without a file for that split."""

    sources: list[Source] = Field(min_length=1, description="where the rows come from")
    leave_out: list[str] = Field(
        [], description="names of sources to leave out, for a recipe that extends another"
    )
    unlabelled: list[TextSource] = Field(
        [],
        exclude_if=_is_empty,
        description="texts without labels; their licences count, and their names differ from the sources'",
    )
    fold: Fold | None = Field(
        None, description="use this fold as the test split; every source is split anew, whatever its files"
    )
    validation: Share = Field(0.1, description="share of the rows used to choose the weights")
    test: Share = Field(0.15, description="share of the rows used for the figures")
    near_duplicates: float = Field(
        0.7, gt=0, le=1, description="Jaccard similarity of character 5-grams from which rows stay together"
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_sources_out(cls, tree: Any) -> Any:  # noqa: ANN401  (whatever is in the file)
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

    @property
    def origins(self) -> list[Origin]:
        """All sources, those of texts without labels too."""
        return [*self.sources, *self.unlabelled]

    def with_same_rows(self, other: Data) -> bool:
        """Return whether the labelled rows and their splits are those of `other`."""
        return self.model_copy(update={"unlabelled": []}) == other.model_copy(update={"unlabelled": []})

    @model_validator(mode="after")
    def _leaves_rows_for_training(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation and test must be below 1 together, got {self.validation} and {self.test}"
            )
        return self

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [source.name for source in (*self.sources, *self.unlabelled)]
        if len(set(names)) != len(names):
            raise ValueError(f"source names must differ, got {names}")
        return self

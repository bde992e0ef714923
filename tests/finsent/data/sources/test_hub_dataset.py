from __future__ import annotations

from pathlib import Path

import pandas
import pytest
from datasets import ClassLabel, Dataset, Features, Value

from finsent.data.rows import Row
from finsent.data.sources.fetch import Places
from finsent.data.sources.texts import read_texts
from finsent.errors import DataError
from finsent.recipe.data import TextSource
from tests.finsent.data.sources.samples import make_source, read

SPLITS = {"files": {}, "splits": {"train": "train", "test": "validation"}, "hub": "owner/reviews"}
NAMES = {"labels": {"neg": "negative", "pos": "positive"}}


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A data set as the Hub lays it out: a folder a configuration, a Parquet file a split."""
    folder = tmp_path / "datasets" / "owner" / "reviews" / "plain"
    folder.mkdir(parents=True)
    features = Features({"text": Value("string"), "label": ClassLabel(names=["neg", "pos"])})
    for split, texts in {"train": ["Good", "Bad"], "validation": ["Fine"]}.items():
        rows = {"text": texts, "label": [1, 0][: len(texts)]}
        Dataset.from_dict(rows, features=features).to_parquet(folder / f"{split}-00000-of-00001.parquet")
    return tmp_path


def found(mirror: Path, **changes: object) -> list[tuple[str, str, str]]:
    rows: list[Row] = read(make_source(mirror, **SPLITS | NAMES | {"config": "plain"} | changes), mirror)
    return [(row.text, row.label, row.split) for row in rows]


def test_splits_of_a_configuration_come_from_the_mirror(mirror: Path) -> None:
    assert found(mirror) == [
        ("Good", "positive", "train"), ("Bad", "negative", "train"), ("Fine", "positive", "test"),
    ]  # fmt: skip
    assert found(mirror, splits={"train": "train[:1]"}) == [("Good", "positive", "train")]


def test_a_file_that_changed_is_read_again(mirror: Path) -> None:
    assert len(found(mirror)) == 3
    file = mirror / "datasets/owner/reviews/plain/train-00000-of-00001.parquet"
    pandas.DataFrame({"text": ["Other"], "label": ["pos"]}).to_parquet(file)
    validation = file.with_name("validation-00000-of-00001.parquet")
    pandas.DataFrame({"text": ["More"], "label": ["neg"]}).to_parquet(validation)
    assert found(mirror) == [("Other", "positive", "train"), ("More", "negative", "test")]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # `datasets` leaves a CSV open
def test_plain_files_without_a_configuration_are_read(mirror: Path) -> None:
    folder = mirror / "datasets" / "owner" / "plain"
    folder.mkdir()
    (folder / "train.csv").write_text("text,label\nGood,pos\n", encoding="utf-8")
    assert found(mirror, hub="owner/plain", config=None, splits={"train": "train"}) == [
        ("Good", "positive", "train")
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"splits": {"train": "dev"}}, "s: cannot fetch split 'dev' of owner/reviews"),
        ({"config": "other"}, "s: cannot fetch split 'train' of owner/reviews"),
        ({"text": "body"}, r"owner/reviews train: no column 'body'; it has \['text', 'label'\]"),
        ({"labels": {"pos": "positive"}}, "owner/reviews train, row 2: unknown label 'neg'"),
    ],
)
def test_what_is_not_there_is_named(changes: dict[str, object], message: str, mirror: Path) -> None:
    with pytest.raises(DataError, match=message):
        found(mirror, **changes)


def test_texts_without_labels_come_from_splits_too(mirror: Path) -> None:
    tree = {"name": "t", "title": "T", "licence": "mit", "hub": "owner/reviews", "config": "plain"}
    source = TextSource.model_validate(tree | {"splits": ["train", "validation"]})
    assert read_texts(source, Places(mirror), seed=1).texts == ["Good", "Bad", "Fine"]

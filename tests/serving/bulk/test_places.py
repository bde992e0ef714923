"""Inputs on a Hub and in object stores: named, listed and read as files here are."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from pyarrow import fs
from typer.testing import CliRunner

from local_hub import HubSettings, RunningHub, TokenGrant, running_hub
from serving.bulk.__main__ import app
from serving.bulk.errors import BulkError
from serving.bulk.places import Place, find_inputs, locate, locate_output
from serving.bulk.shards import make_shards
from tests.serving.bulk.test_bulk import read_output

TOKEN = "hf_writer"
DATASET = "ann/news"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    settings = HubSettings(tmp_path_factory.mktemp("hub"), tokens=(TokenGrant("ann", "write", TOKEN),))
    with running_hub(settings) as running, pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.ENDPOINT", running.endpoint)
        template = f"{running.endpoint}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        patch.setattr("huggingface_hub.file_download.HUGGINGFACE_CO_URL_TEMPLATE", template)
        patch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)  # the plain way suffices here
        HfApi(token=TOKEN).create_repo(DATASET, repo_type="dataset")
        _commit({"a/one.csv": b"text\nprofit\nloss\n", "two.jsonl.gz": gzip.compress(b'{"text": "flat"}\n')})
        yield running


def _commit(files: dict[str, bytes]) -> None:
    added = [CommitOperationAdd(path, content) for path, content in files.items()]
    HfApi(token=TOKEN).create_commit(DATASET, added, commit_message="rows", repo_type="dataset")


def _run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    return done.exit_code, done.output


@pytest.mark.usefixtures("hub")
def test_a_dataset_of_the_hub_is_read_at_one_commit(tiny_release: Path, tmp_path: Path) -> None:
    whole, pattern, out = f"hf://datasets/{DATASET}", f"hf://datasets/{DATASET}/*/*.csv", tmp_path / "out"
    code, said = _run(tiny_release, whole, out)
    assert code == 0, said
    assert [(row["id"], row["text"]) for row in read_output(out)] == [
        ("a/one.csv:1", "profit"), ("a/one.csv:2", "loss"), ("two.jsonl.gz:1", "flat"),
    ]  # fmt: skip
    code, said = _run(tiny_release, pattern, tmp_path / "csv")
    assert code == 0, said
    assert [row["id"] for row in read_output(tmp_path / "csv")] == ["one.csv:1", "one.csv:2"]
    assert _run(tiny_release, whole, out, "--resume")[0] == 0
    _commit({"a/one.csv": b"text\nprofit\ngain\n"})  # as long as before
    code, said = _run(tiny_release, whole, out, "--resume")
    assert code == 1 and "different value of inputs" in said


@pytest.mark.usefixtures("hub")
def test_what_the_hub_has_not_is_one_line(tiny_release: Path, tmp_path: Path) -> None:
    for address in ("hf://datasets/ann/none/a.csv", f"hf://datasets/{DATASET}/none.csv", "hf://"):
        done = CliRunner().invoke(app, [str(tiny_release), address, str(tmp_path / "out")])
        assert done.exit_code == 1 and address in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_parts_are_not_written_to_the_hub() -> None:
    with pytest.raises(BulkError, match="every part would be a commit"):
        locate_output("hf://datasets/ann/scores")


def test_addresses_of_object_stores_are_theirs() -> None:
    store = locate("s3://bucket/news/a.csv?region=eu-west-1&allow_bucket_creation=false")
    assert isinstance(store.system, fs.S3FileSystem) and store.path == "bucket/news/a.csv"
    assert locate("gs://anonymous@bucket/a.csv").path == "bucket/a.csv"
    with pytest.raises(BulkError, match="allowed are paths, s3://, gs:// and hf://"):
        locate("ftp://host/a.csv")


def test_a_store_that_is_not_of_this_machine_is_written_part_by_part(
    tiny_release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store without renaming of its own, as s3:// and gs:// are: what is written has its name at once."""
    store = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    monkeypatch.setattr("serving.bulk.__main__.locate_output", lambda _: Place(store, "out"))
    (tmp_path / "a.txt").write_text("profit\nloss\n", encoding="utf-8")
    for options in ([], ["--resume"]):
        code, said = _run(tiny_release, tmp_path / "a.txt", "s3://bucket/out", *options)
        assert code == 0, said
    assert [row["text"] for row in read_output(tmp_path / "out")] == ["profit", "loss"]
    assert {one.name for one in (tmp_path / "out").iterdir()} == {"_plan.json", "part-00000-00000.parquet"}


def test_small_files_share_a_shard_and_a_large_one_has_its_own(tmp_path: Path) -> None:
    sizes = [40, 50, 60, 500, 1, 2]
    for number, size in enumerate(sizes):
        (tmp_path / f"{number}.txt").write_bytes(b"x" * size)
    shards = make_shards(find_inputs([str(tmp_path)]), most=100)
    assert [[place.size for place in shard] for shard in shards] == [[40, 50], [60], [500], [1, 2]]

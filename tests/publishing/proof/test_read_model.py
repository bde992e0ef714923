from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from publishing.errors import PublishError
from publishing.proof import read_model
from publishing.proof.read_model import ModelLocation, ReadingJob, read_scores
from tests import tiny


def job_of(folder: Path, foreign: bool) -> ReadingJob:
    models = [ModelLocation(name=str(folder), revision=None)]
    return ReadingJob(models=models, onnx_files=["onnx/model.onnx"], texts=["Profit rose"], foreign=foreign)


@pytest.fixture
def coded(tiny_release: Path, tmp_path: Path) -> Path:
    """A release whose settings name code."""
    folder = Path(shutil.copytree(tiny_release, tmp_path / "coded"))
    tree = tiny.read_json(folder / "config.json") | {"auto_map": {"AutoConfig": "modeling.X"}}
    (folder / "config.json").write_text(json.dumps(tree), encoding="utf-8")
    return folder


def test_what_a_stranger_published_is_looked_at_before_it_is_loaded(
    coded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(model: ModelLocation, job: ReadingJob) -> dict[str, list[dict[str, float]]]:
        loaded.append(model.name)
        return {}

    monkeypatch.setattr(read_model, "_read_model", load)
    with pytest.raises(PublishError, match="refers to its own code"):
        read_scores(job_of(coded, foreign=True))
    assert loaded == []
    assert read_scores(job_of(coded, foreign=False)) == [{}] and loaded == [str(coded)]


def test_a_refusal_ends_the_process_with_a_line(
    coded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = tmp_path / "job.json"
    job.write_text(job_of(coded, foreign=True).model_dump_json(), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["read_model", str(job)])
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    monkeypatch.setattr(read_model.logging, "disable", lambda level: None)
    with pytest.raises(SystemExit, match=r"config\.json: refers to its own code \(auto_map\)"):
        read_model.main()

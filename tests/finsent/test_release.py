from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from transformers import AutoConfig

from finsent.errors import ReleaseError
from finsent.release import (
    ABSTAIN_BELOW,
    ALWAYS,
    CARD,
    Run,
    missing_files,
    read_labels,
    sha256,
    write_threshold,
)
from model_card.measure.metrics_file import read_metrics
from tests import tiny


def test_config_holds_the_threshold_where_there_is_one(tiny_release: Path, tmp_path: Path) -> None:
    found = read_metrics(tiny_release / "metrics.json").abstention
    assert found is not None
    assert tiny.read_json(tiny_release / "config.json").get(ABSTAIN_BELOW) == found.threshold
    before = (tiny_release / "config.json").read_bytes()
    (tmp_path / "config.json").write_bytes(before)
    write_threshold(tmp_path, 0.812)
    config = AutoConfig.from_pretrained(tmp_path)
    assert getattr(config, ABSTAIN_BELOW) == 0.812
    config.save_pretrained(tmp_path / "again")
    assert tiny.read_json(tmp_path / "again" / "config.json")[ABSTAIN_BELOW] == 0.812
    write_threshold(tmp_path, found.threshold)
    assert tiny.read_json(tmp_path / "config.json") == json.loads(before)


def fill(folder: Path, text: str) -> None:
    for name in ALWAYS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def test_a_release_is_there_when_it_is_whole_and_takes_the_place_of_the_last(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for text in ("first", "second"):
        fill(run.start(), text)
        run.checkpoints.mkdir()
        assert run.finish() == run.release
        assert (run.release / CARD).read_text(encoding="utf-8") == text
        assert [path.name for path in tmp_path.iterdir()] == ["release"]


def test_what_is_not_whole_leaves_the_last_release_where_it_stands(tmp_path: Path) -> None:
    run = Run(tmp_path)
    fill(run.release, "last")
    staging = run.start()
    fill(staging, "next")
    (staging / CARD).unlink()
    assert missing_files(staging) == [CARD]
    with pytest.raises(ReleaseError, match=r"release\.partial: not released, README\.md missing"):
        run.finish()
    assert (run.release / CARD).read_text(encoding="utf-8") == "last"


def test_a_start_leaves_nothing_of_a_run_that_broke_off(tmp_path: Path) -> None:
    (Run(tmp_path).start() / "half").write_text("x", encoding="utf-8")
    assert list(Run(tmp_path).start().iterdir()) == []


def test_labels_are_read_in_the_order_of_the_logits(tmp_path: Path) -> None:
    labels = [f"label {number}" for number in range(11)]
    id2label = {str(number): labels[number] for number in reversed(range(11))}
    (tmp_path / "config.json").write_text(json.dumps({"id2label": id2label}), encoding="utf-8")
    assert read_labels(tmp_path) == labels


def test_a_digest_is_that_of_all_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content := bytes(range(256)) * 5000)
    assert sha256(tmp_path / "x") == hashlib.sha256(content).hexdigest()

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from finsent.recipe.file import read_released_recipe
from finsent.release import CARD, ENDPOINT_FILES, METRICS, RECIPE, write_threshold
from model_card.card.build import build_card
from model_card.measure.metrics_file import read_metrics
from publishing.errors import LintError
from publishing.package.check import check_manifest, lint_dataset, lint_release
from publishing.package.manifest import Manifest, read_folder
from tests.publishing.conftest import Publisher


def test_a_data_set_needs_a_licence_and_its_files() -> None:
    card = (
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: train.csv\n---\n"
    )
    manifest = Manifest("dataset", {}).replace("README.md", card.encode())
    assert lint_dataset(manifest) == [
        "README.md: names no license", "README.md: configs names train.csv, which is not in the folder"
    ]  # fmt: skip


def test_a_space_card_is_linted(tmp_path: Path) -> None:
    card = f"---\nsdk: static\nshort_description: {'x' * 61}\n---\n"
    (tmp_path / "README.md").write_text(card, encoding="utf-8")
    (tmp_path / "index.html").write_text("<!doctype html>", encoding="utf-8")
    with pytest.raises(LintError, match="short_description has 61 characters"):
        check_manifest(read_folder(tmp_path, "space"), tmp_path)


def test_nothing_is_sent_that_was_not_measured(publisher: Publisher) -> None:
    with (publisher.run / "release" / "onnx" / "model.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(LintError, match=r"onnx/model\.onnx: is not the file that was measured"):
        publisher.publish()
    assert publisher.reader.head(publisher.target) is None


def test_another_threshold_than_the_fitted_one_is_not_sent(publisher: Publisher) -> None:
    write_threshold(publisher.run / "release", 0.123)
    with pytest.raises(
        LintError, match=r"finsent_abstain_below is 0\.123, metrics\.json says None; run train\.py"
    ):
        publisher.publish()
    assert publisher.reader.head(publisher.target) is None


@pytest.fixture
def release(tiny_release: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_release, tmp_path / "release"))


def lint(release: Path) -> list[str]:
    return lint_release(read_folder(release, "model"), release)


def test_a_handler_without_the_files_that_it_needs_is_not_sent(release: Path) -> None:
    gone = ("requirements.txt", "inference/__init__.py")
    for name in gone:
        (release / name).unlink()
    told = [problem for problem in lint(release) if problem.startswith(gone)]
    assert told == [
        f"{name}: missing, so handler.py cannot run on Inference Endpoints; run train.py" for name in gone
    ]


def test_a_release_from_before_there_was_a_handler_is_sent(release: Path) -> None:
    for name in ENDPOINT_FILES:
        (release / name).unlink()
    tree = json.loads((release / METRICS).read_text(encoding="utf-8"))
    del tree["runtimes"]
    (release / METRICS).write_text(json.dumps(tree), encoding="utf-8")
    card = build_card(read_released_recipe(release / RECIPE), read_metrics(release / METRICS))
    assert "handler.py" not in card and "## Deploy" not in card
    (release / CARD).write_text(card, encoding="utf-8")
    assert lint(release) == []

from __future__ import annotations

from pathlib import Path

import pytest

from finsent.release import write_threshold
from publishing.errors import LintError
from publishing.package.check import check_manifest, lint_dataset
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

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from publishing.errors import LintError
from publishing.hub.remote import Target
from publishing.package import parcel as parcel_module
from publishing.package.parcel import OUTBOX, pack, pack_release


@pytest.mark.parametrize("name", ["model.safetensors", "LICENSE", "onnx", "figures"])
def test_a_link_in_a_release_is_refused(name: str, tiny_release: Path, tmp_path: Path) -> None:
    run = tmp_path / "tiny"
    path = Path(shutil.copytree(tiny_release, run / "release")) / name
    outside = tmp_path / "outside"
    path.rename(outside) if path.exists() else outside.write_text("secret", encoding="utf-8")
    path.symlink_to(outside)
    with pytest.raises(LintError, match=rf"{name}: is a link"):
        pack_release(run, Target("ann/linked"), None)


def test_a_release_goes_as_it_stands_where_its_recipe_names_the_place(tiny_release: Path) -> None:
    parcel = pack_release(tiny_release.parent, Target("finsent/tiny"), None)
    assert (parcel.folder, parcel.run) == (tiny_release, tiny_release.parent)
    assert parcel.metrics is not None and parcel.version == parcel.metrics.version == "0.1.0"
    assert parcel.notes.startswith("onnx/model_quantized.onnx: ")


def test_a_release_for_another_place_is_made_ready_beside_it(tiny_release: Path, tmp_path: Path) -> None:
    run = tmp_path / "tiny"
    shutil.copytree(tiny_release, run / "release")
    parcel = pack_release(run, Target("ann/x"), "ann/x-demo")
    assert parcel.folder == run / OUTBOX
    assert b"model: ann/x\n" in parcel.manifest.content("recipe.yaml")
    assert (run / "release" / "recipe.yaml").read_bytes() == (tiny_release / "recipe.yaml").read_bytes()


def test_only_the_main_branch_is_tagged(tiny_release: Path) -> None:
    parcel = pack_release(tiny_release.parent, Target("finsent/tiny"), None)
    assert parcel.tag == "v0.1.0"
    assert replace(parcel, target=Target("finsent/tiny", revision="next")).tag is None
    assert replace(parcel, version=None).tag is None


def test_half_a_release_is_not_packed(tmp_path: Path) -> None:
    with pytest.raises(LintError, match=r"release: does not exist; build it with train\.py"):
        pack(tmp_path, Target("ann/x"), None)
    (tmp_path / "release").mkdir()
    with pytest.raises(
        LintError, match=r"release: config\.json, .*README\.md.* missing; run train\.py again"
    ):
        pack(tmp_path, Target("ann/x"), None)


def test_receipts_of_a_data_set_lie_among_the_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel_module, "RUNS", tmp_path / "runs")
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "train.csv").write_text("text,label\n", encoding="utf-8")
    parcel = pack(tmp_path / "rows", Target("ann/rows", "dataset"), None)
    assert parcel.run == tmp_path / "runs" / "dataset-rows"
    assert (parcel.tag, parcel.metrics, list(parcel.manifest.files)) == (None, None, ["train.csv"])

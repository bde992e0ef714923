from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from finsent.errors import ReleaseError
from model_card.card.build import build_card
from model_card.measure.metrics_file import SCHEMA_VERSION, Metrics, read_metrics, write_metrics
from tests import tiny
from tests.model_card.samples import make_recipe

OLDER = Path(__file__).with_name("older")  # of the quickstart, as it was published then, with fewer rows


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_older_metrics_are_still_read(version: int) -> None:
    path = OLDER / f"metrics_{version}.json"
    tree, found = tiny.read_json(path), read_metrics(path)
    assert found.schema_version == version
    old, drift = tree["variants"][2]["agreement"], found.variant("quantized").drift
    assert drift is not None
    assert (drift.flip_count, drift.flip_share) == (old["flips"], old["flip_share"])
    assert drift.batch_difference == old["batch_difference"]
    assert found.variant("pytorch").drift is None
    assert len(found.behaviour) == len(tree.get("behaviour", []))
    assert (found.abstention is not None) == ("abstention" in tree)
    assert found.mistakes[0].slice == tree["mistakes"][0].get("slice", "")


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_older_metrics_give_a_card(version: int) -> None:
    found = read_metrics(OLDER / f"metrics_{version}.json")
    sources = [{**source, "name": name} for source in make_recipe().model_dump()["data"]["sources"][:1]
               for name in found.by_source]  # fmt: skip
    card = build_card(make_recipe(data={"sources": sources}), found)
    drift = found.variant("quantized").drift
    assert drift is not None
    assert f"| `onnx/model_quantized.onnx` | {drift.flip_count} | {100 * drift.flip_share:.1f} % (" in card


def with_changes(release: Path, folder: Path, **changes: Any) -> Path:
    tree = tiny.read_json(release / "metrics.json") | changes
    (folder / "metrics.json").write_text(json.dumps(tree), encoding="utf-8")
    return folder / "metrics.json"


def test_a_newer_schema_is_refused_by_its_version(tiny_release: Path, tmp_path: Path) -> None:
    path = with_changes(tiny_release, tmp_path, schema_version=SCHEMA_VERSION + 1)
    told = (
        f"has schema version {SCHEMA_VERSION + 1}, but this finsent reads up to {SCHEMA_VERSION}; use a newer"
    )
    with pytest.raises(ReleaseError, match=told):
        read_metrics(path)


def test_a_figure_that_is_not_known_is_passed_over(tiny_release: Path, tmp_path: Path) -> None:
    metrics = read_metrics(tiny_release / "metrics.json")
    assert read_metrics(with_changes(tiny_release, tmp_path, robustness={"typos": 0.9})) == metrics


def test_a_new_figure_is_a_field_with_a_default(tiny_release: Path, tmp_path: Path) -> None:
    class Later(Metrics):
        robustness: float | None = None

    text = (tiny_release / "metrics.json").read_text(encoding="utf-8")
    assert Later.model_validate_json(text).robustness is None
    later = Later.model_validate_json(text).model_copy(update={"robustness": 0.9})
    write_metrics(later, tmp_path / "metrics.json")
    assert tiny.read_json(tmp_path / "metrics.json")["robustness"] == 0.9
    assert read_metrics(tmp_path / "metrics.json") == read_metrics(tiny_release / "metrics.json")


def test_metrics_read_back_equal_and_other_schemas_are_refused(tiny_release: Path, tmp_path: Path) -> None:
    metrics = read_metrics(tiny_release / "metrics.json")
    write_metrics(metrics, tmp_path / "metrics.json")
    assert read_metrics(tmp_path / "metrics.json") == metrics
    tree = tiny.read_json(tmp_path / "metrics.json")
    del tree["machine"]
    (tmp_path / "metrics.json").write_text(json.dumps(tree), encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"metrics.json: machine: Field required \(schema version 4"):
        read_metrics(tmp_path / "metrics.json")
    with pytest.raises(ReleaseError, match=r"run train\.py first"):
        read_metrics(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("key", "value"),
    [("file", "../../../etc/passwd"), ("file", "/dev/zero"), ("sha256", "00\nEND\nid > owned\n")],
)
def test_figures_lead_nowhere_and_write_no_command(
    tiny_release: Path, tmp_path: Path, key: str, value: str
) -> None:
    variants = tiny.read_json(tiny_release / "metrics.json")["variants"]
    variants[0][key] = value
    path = with_changes(tiny_release, tmp_path, variants=variants)
    with pytest.raises(ReleaseError, match=rf"variants\.0\.{key}"):
        read_metrics(path)

from __future__ import annotations

from pathlib import Path

import pytest

from finsent.recipe.file import address_recipe, load_recipe
from publishing.errors import PublishError
from publishing.package.address import choose_model_id
from tests.publishing.conftest import Publisher


def test_card_and_recipe_name_the_repository_that_they_go_to(publisher: Publisher, tmp_path: Path) -> None:
    parcel = publisher.parcel()
    card = parcel.manifest.content("README.md").decode()
    assert f'model="{publisher.repo_id}"' in card and "finsent/tiny" not in card.replace(
        "finsent/tiny-demo", ""
    )
    (tmp_path / "recipe.yaml").write_bytes(parcel.manifest.content("recipe.yaml"))
    assert load_recipe(tmp_path / "recipe.yaml").hub.model == publisher.repo_id
    assert "finsent/tiny" in (publisher.run / "release" / "README.md").read_text(encoding="utf-8")


def test_another_address_changes_the_two_ids_and_nothing_else(tiny_release: Path, tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    old = "an_older_key: 1.0e-05\n" + (tiny_release / "recipe.yaml").read_text(encoding="utf-8")
    file.write_text(old, encoding="utf-8")
    assert address_recipe(file, "finsent/tiny", "finsent/tiny-demo") == old
    new = address_recipe(file, "ann/x", "ann/x-demo")
    changed = [line for line in new.split("\n") if line not in old.split("\n")]
    assert changed == ["  model: ann/x", "  space: ann/x-demo"]


def test_where_a_model_goes(tiny_release: Path, tmp_path: Path) -> None:
    run = tiny_release.parent
    assert choose_model_id(run, "model", "ann/x") == "ann/x"
    assert choose_model_id(run, "model", None) == "finsent/tiny"
    with pytest.raises(PublishError, match="--repo-id: a data set has no recipe to take it from"):
        choose_model_id(run, "dataset", None)
    with pytest.raises(PublishError, match="is not a run, because it has no release/"):
        choose_model_id(tmp_path, "model", None)

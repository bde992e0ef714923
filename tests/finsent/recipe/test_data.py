from __future__ import annotations

from pathlib import Path

import pytest

from finsent import REPOSITORY
from finsent.errors import RecipeError
from finsent.recipe.file import load_recipe
from tests import tiny
from tests.finsent.recipe.samples import write_recipe


def test_a_source_needs_one_place(tmp_path: Path) -> None:
    tree = tiny.recipe_tree(tmp_path, tmp_path)
    tree["data"]["sources"][0]["hub"] = "owner/name"
    with pytest.raises(RecipeError, match="exactly one of path and hub"):
        load_recipe(write_recipe(tmp_path, data=tree["data"]))


def test_a_source_is_left_out_of_what_another_recipe_uses(tmp_path: Path) -> None:
    (tmp_path / "open.yaml").write_text(
        f"extends: {REPOSITORY}/recipes/finsent-research.yaml\ndata: {{leave_out: [fpb]}}\n"
    )
    recipe = load_recipe(tmp_path / "open.yaml")
    assert [source.name for source in recipe.data.sources] == ["headlines", "tfns", "sentfin"]
    assert recipe.data.leave_out == []
    (tmp_path / "open.yaml").write_text(
        f"extends: {REPOSITORY}/recipes/finsent-research.yaml\ndata: {{leave_out: [phrasebank]}}\n"
    )
    with pytest.raises(RecipeError, match=r"leave_out: unknown source 'phrasebank', allowed: .*'fpb'"):
        load_recipe(tmp_path / "open.yaml")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("{leave_out: fpb}", "data.leave_out"),
        ("{leave_out: [1], sources: [2]}", "data.leave_out.0"),
        ("{leave_out: [fpb], sources: 3}", "data.sources"),
        ("[leave_out]", "data: "),
    ],
)
def test_leaving_out_in_another_form_is_refused_by_name(data: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "open.yaml").write_text(
        f"extends: {REPOSITORY}/recipes/finsent-research.yaml\ndata: {data}\n"
    )
    with pytest.raises(RecipeError, match=said):
        load_recipe(tmp_path / "open.yaml")

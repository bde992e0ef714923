from __future__ import annotations

import pytest

from finsent.errors import RecipeError
from finsent.licences import LICENCES, check_wish, combine_licences, recipe_licence
from finsent.recipe.data import TextSource
from finsent.recipe.recipe import Distillation, Recipe


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["cc-by-4.0", "apache-2.0"], "apache-2.0"),
        (["cc-by-4.0", "cc-by-nc-sa-3.0", "mit"], "cc-by-nc-sa-3.0"),
        (["mit", "cc-by-nc-4.0"], "cc-by-nc-4.0"),
        (["mit", "cc-by-sa-4.0"], "cc-by-sa-4.0"),
        (["cc-by-nc-4.0", "cc-by-nc-sa-4.0"], "cc-by-nc-sa-4.0"),
        (["mit", "other", "cc-by-nc-4.0"], "other"),
        (["cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "mit"], "cc-by-nc-sa-4.0"),
        (["cc-by-sa-4.0", "cc-by-sa-3.0"], "cc-by-sa-4.0"),
    ],
)
def test_the_release_carries_what_its_sources_allow(sources: list[str], expected: str) -> None:
    named = {f"source{number}": licence for number, licence in enumerate(sources)}
    assert combine_licences(named, "apache-2.0").id == expected


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (
            ["cc-by-sa-3.0", "cc-by-nc-sa-3.0"],
            "of source0 and .* of source1 cannot be combined, because each demands",
        ),
        (
            ["cc-by-sa-3.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0"],
            "cc-by-sa-3.0 of source0 and cc-by-nc-sa-4.0 of source2 cannot be combined",
        ),
        (
            ["cc-by-sa-4.0", "cc-by-nc-4.0"],
            "cannot be combined with the non-commercial cc-by-nc-4.0 of source1",
        ),
        (
            ["other", "cc-by-sa-4.0"],
            "cc-by-sa-4.0 of source1 cannot be combined with the own terms of source0",
        ),
        (["cc-by-nc-sa-4.0", "other"], "cannot be combined with the own terms of source1; leave one out"),
        (["wtfpl"], "source0: licence 'wtfpl' is not known; allowed: apache-2.0"),
    ],
)
def test_what_does_not_add_up_is_refused(sources: list[str], message: str) -> None:
    named = {f"source{number}": licence for number, licence in enumerate(sources)}
    with pytest.raises(RecipeError, match=message):
        combine_licences(named, "mit")


def test_a_free_label_over_a_closed_source_is_refused() -> None:
    with pytest.raises(
        RecipeError, match=r"got 'mit', but a source forbids commercial use; write 'cc-by-nc-4.0'"
    ):
        check_wish("mit", LICENCES["cc-by-nc-4.0"])
    check_wish("cc-by-nc-4.0", LICENCES["cc-by-nc-4.0"])


def test_another_licence_than_a_share_alike_source_demands_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"got 'apache-2.0', but a source demands 'cc-by-sa-4.0'"):
        check_wish("apache-2.0", LICENCES["cc-by-sa-4.0"])
    check_wish("cc-by-sa-4.0", LICENCES["cc-by-sa-4.0"])


def test_the_base_of_a_teacher_binds_its_student(tiny_recipe: Recipe) -> None:
    base = tiny_recipe.base.model_copy(update={"licence": "cc-by-nc-4.0"})
    teacher = tiny_recipe.model_copy(
        update={
            "name": "teacher",
            "base": base,
            "card": tiny_recipe.card.model_copy(update={"licence": "cc-by-nc-4.0"}),
        }
    )
    student = tiny_recipe.model_copy(update={"distillation": Distillation(teachers=[teacher])})
    assert recipe_licence(tiny_recipe).id == "apache-2.0"
    with pytest.raises(RecipeError, match="a source forbids commercial use"):
        recipe_licence(student)


def test_terms_of_its_own_ask_for_the_same_of_the_release() -> None:
    with pytest.raises(
        RecipeError, match=r"got 'cc-by-nc-4.0', but a source has its own terms; write 'other'"
    ):
        check_wish("cc-by-nc-4.0", LICENCES["other"])
    check_wish("other", LICENCES["other"])


def test_texts_without_labels_bind_the_release_too(tiny_recipe: Recipe) -> None:
    tree = {"name": "news", "title": "News", "licence": "cc-by-nc-4.0", "path": ".", "files": ["a.txt"]}
    data = tiny_recipe.data.model_copy(update={"unlabelled": [TextSource.model_validate(tree)]})
    with pytest.raises(RecipeError, match="a source forbids commercial use"):
        recipe_licence(tiny_recipe.model_copy(update={"data": data}))

from __future__ import annotations

import pytest

from finsent.hub_id import check_hub_id
from finsent.recipe.card import Hub
from publishing.errors import PublishError
from publishing.hub.remote import Target

NO_NAMES = [
    "x-",
    "x.",
    "x.git",
    "x.GIT",
    "x..y",
    "x--y",
    "-x",
    ".x",
    "",
    "ä",
    "x y",
    "x" * 97,
    "x\n",
    "x/y",
    "..",
]
NAMES = ["x", "X_1", "_x", "x_", "a.b-c", "x" * 96, "git", "x.gitx"]


@pytest.mark.parametrize("name", NO_NAMES)
def test_names_that_no_hub_takes(name: str) -> None:
    for repo_id in (f"ann/{name}", f"{name}/model"):
        with pytest.raises(PublishError, match="is not a repository id; write it as owner/name"):
            Target(repo_id)
        with pytest.raises(ValueError, match="is not a repository id"):
            Hub(model=repo_id, space="ann/demo")


@pytest.mark.parametrize("name", NAMES)
def test_names_that_every_hub_takes(name: str) -> None:
    assert check_hub_id(f"{name}/{name}") == str(Target(f"{name}/{name}"))


@pytest.mark.parametrize("text", ["model", "a/b/c", "/model", "owner/"])
def test_an_id_has_an_owner_and_a_name(text: str) -> None:
    with pytest.raises(ValueError, match="write it as owner/name"):
        check_hub_id(text)

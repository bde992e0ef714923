from __future__ import annotations

import re
from contextlib import closing

from dulwich.refs import Ref
from dulwich.repo import Repo

from finsent.recipe.recipe import Recipe
from local_hub import RunningHub
from publishing.package.commit_message import release_notes
from tests.model_card.samples import make_metrics, make_recipe
from tests.publishing.conftest import Publisher

FIGURES = "onnx/model_quantized.onnx: "


def with_changes(recipe: Recipe, **changes: str) -> Recipe:
    named = {name.strip("v").replace("_", "."): text for name, text in changes.items()}
    return recipe.model_copy(update={"card": recipe.card.model_copy(update={"changes": named})})


def test_the_notes_are_those_of_this_version_alone() -> None:
    metrics = make_metrics().model_copy(update={"version": "0.2.0"})
    recipe = with_changes(make_recipe(), v0_1_0="First release.", v0_2_0="Taught by two teachers.\n")
    notes = release_notes(recipe, metrics)
    changes, figures = notes.split("\n\n")
    default = metrics.variant(metrics.default_variant)
    assert changes == "Taught by two teachers."
    assert figures == (
        f"{default.file}: {default.bytes / 1e6:.1f} MB, accuracy {default.scores.accuracy:.3f}, "
        f"macro F1 {default.scores.macro_f1:.3f}"
    )


def test_a_version_without_words_has_its_figures() -> None:
    assert release_notes(make_recipe(), make_metrics()).startswith(FIGURES)


def test_commit_and_tag_say_what_is_new_in_this_release_and_no_more(
    publisher: Publisher, server: RunningHub
) -> None:
    recipe = publisher.run / "release" / "recipe.yaml"
    words = "  changes: {0.0.9: Not told any more., 0.1.0: The first one.}\nhub:"
    recipe.write_text(recipe.read_text(encoding="utf-8").replace("\nhub:", f"\n{words}", 1), encoding="utf-8")
    publisher.publish()
    (_, message), _ = publisher.reader.messages(publisher.target, "main")
    path = server.hub.settings.root / "repositories" / "models" / f"{publisher.repo_id}.git"
    with closing(Repo(str(path))) as repository:
        tag = repository[repository.refs[Ref(b"refs/tags/v0.1.0")]].message.decode()
    assert re.fullmatch(rf"The first one\.\n\n{FIGURES}.*\n?", tag)
    assert message.partition("\n\n")[2].startswith(tag.strip())
    assert len(tag) < 120 and len(message) < 400

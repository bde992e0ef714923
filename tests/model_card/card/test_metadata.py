from __future__ import annotations

from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard
from pydantic import ValidationError

from finsent.recipe.recipe import Recipe
from model_card.card.build import build_card
from model_card.card.metadata import card_metadata, metadata_tree
from model_card.lint.card import lint_card
from model_card.measure.metrics_file import Metrics
from tests.model_card.samples import make_metrics, make_recipe


def parsed(recipe: Recipe, metrics: Metrics) -> dict[str, Any]:
    block = card_metadata(recipe, metrics)
    assert block.startswith("---\n") and block.endswith("\n---\n")
    tree = yaml.safe_load(block.strip("-\n") + "\n")
    assert isinstance(tree, dict)
    return tree


def test_block_reads_back_as_it_was_meant(recipe: Recipe, metrics: Metrics) -> None:
    tree = parsed(recipe, metrics)
    assert tree == metadata_tree(recipe, metrics)
    assert tree["license"] == "apache-2.0"
    assert tree["library_name"] == "transformers"
    assert tree["pipeline_tag"] == "text-classification"
    assert (tree["base_model"], tree["base_model_relation"]) == ("some/tiny-bert", "finetune")


def test_norwegian_is_a_language_and_no_boolean(metrics: Metrics) -> None:
    card = make_recipe().card.model_dump() | {"language": "no"}
    assert parsed(make_recipe(card=card), metrics)["language"] == ["no"]


def test_several_languages_are_a_list(metrics: Metrics) -> None:
    card = make_recipe().card.model_dump() | {"language": ["ko", "en"]}
    assert parsed(make_recipe(card=card), metrics)["language"] == ["ko", "en"]


NAMED = {"licence": "other", "licence_name": "House rules 1", "licence_link": "https://example.org/rules"}


def test_another_licence_has_its_name_and_its_address() -> None:
    recipe = make_recipe(card=make_recipe().card.model_dump() | NAMED)
    metrics = make_metrics(licence="other")
    tree = parsed(recipe, metrics)
    told = (tree["license"], tree["license_name"], tree["license_link"])
    assert told == ("other", "House rules 1", "https://example.org/rules")
    card = build_card(recipe, metrics)
    assert card.count("[House rules 1](https://example.org/rules)") == 2
    assert "commercial" not in card.lower()
    assert lint_card(card, metrics, None, recipe) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"licence": "other"}, "licence: other also needs licence_name and licence_link"),
        ({"licence": "mit", "licence_name": "Mine"}, "are for licence: other, got 'mit'"),
        (NAMED | {"licence_link": "LICENSE"}, "String should match pattern"),
    ],
)
def test_a_licence_that_is_told_by_half_is_refused(changes: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make_recipe(card=make_recipe().card.model_dump() | changes)


def test_only_hub_sources_are_datasets(recipe: Recipe, metrics: Metrics) -> None:
    assert parsed(recipe, metrics)["datasets"] == ["some/posts"]
    sources = recipe.model_dump()["data"]["sources"][:1]
    assert "datasets" not in parsed(make_recipe(data={"sources": sources}), metrics)


def test_a_source_with_an_address_is_no_dataset_of_the_hub(metrics: Metrics) -> None:
    sources = make_recipe().model_dump()["data"]["sources"]
    sources[1]["url"] = "https://example.org/raw"
    tree = parsed(make_recipe(data={"sources": sources}), metrics)
    assert "datasets" not in tree
    types = [result["dataset"]["type"] for result in tree["model-index"][0]["results"]]
    assert types == ["headlines", "posts", "sample-test"]


def test_model_index_has_every_source_and_all_of_them(recipe: Recipe, metrics: Metrics) -> None:
    (index,) = parsed(recipe, metrics)["model-index"]
    assert index["name"] == "finsent-sample"
    values = {result["dataset"]["type"]: result["metrics"][0]["value"] for result in index["results"]}
    assert values == {
        "headlines": round(metrics.by_source["headlines"].accuracy, 4),
        "some/posts": round(metrics.by_source["posts"].accuracy, 4),
        "sample-test": round(metrics.variant("quantized").scores.accuracy, 4),
    }


def test_one_source_is_not_said_twice(metrics: Metrics) -> None:
    sources = make_recipe().model_dump()["data"]["sources"][:1]
    (index,) = parsed(make_recipe(data={"sources": sources}), metrics)["model-index"]
    assert [result["dataset"]["type"] for result in index["results"]] == ["headlines"]


def test_widget_carries_output_best_first(recipe: Recipe, metrics: Metrics) -> None:
    first = parsed(recipe, metrics)["widget"][0]
    assert first["example_title"] == "Profit: up"
    assert first["output"][0] == {"label": "positive", "score": 0.9311}
    assert len(first["output"]) == 3


def test_energy_is_an_estimate_or_absent(recipe: Recipe, metrics: Metrics) -> None:
    emissions = parsed(recipe, metrics)["co2_eq_emissions"]
    assert emissions["emissions"] == 0.609
    assert emissions["source"].startswith("estimate: 60 W stated x 91 s measured")
    assert "co2_eq_emissions" not in parsed(make_recipe(energy=None), metrics)


def test_client_of_the_hub_reads_the_same(recipe: Recipe, metrics: Metrics, card: str) -> None:
    data = ModelCard(card).data
    assert data.license == metrics.licence
    assert data.eval_results is not None
    assert len(data.eval_results) == 6
    assert data.eval_results[0].metric_value == round(metrics.by_source["headlines"].accuracy, 4)


def test_equal_parts_are_written_out(recipe: Recipe) -> None:
    example = make_metrics().examples[0]
    block = card_metadata(recipe, make_metrics(examples=[example, example]))
    assert "&id" not in block
    assert "*id" not in block

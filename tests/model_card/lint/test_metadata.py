from __future__ import annotations

import re

import pytest

from finsent.recipe.recipe import Recipe
from model_card.lint.card import lint_card
from model_card.lint.problem import Problem
from model_card.measure.metrics_file import Metrics
from tests.model_card.lint.cards import BODY, card_with, found, line_of


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("\ufeff" + card_with(), 1, "byte order mark"),
        ("<!-- a comment -->\n" + card_with(), 1, "first byte"),
        ("\n" + card_with(), 1, "white space"),
        ("# Title\n\n" + card_with(), 1, "first byte"),
    ],
)
def test_nothing_stands_before_the_metadata(text: str, line: int, message: str) -> None:
    (problem,) = found(text, "start")
    assert problem.line == line
    assert message in problem.message


@pytest.mark.parametrize(("text", "message"), [(BODY, "there is no metadata"), (card_with("- a\n"), "")])
def test_metadata_is_there(text: str, message: str) -> None:
    problems = lint_card(text, None, None)
    assert any(problem.rule in ("metadata", "yaml") and message in problem.message for problem in problems)


@pytest.mark.parametrize("front", ["- a\n- b", "only words"])
def test_metadata_is_a_mapping(front: str) -> None:
    (problem,) = found(f"---\n{front}\n---\n{BODY}", "metadata")
    assert "mapping" in problem.message


@pytest.mark.parametrize(
    "second", ["---\nlicense: apache-2.0\ntags:\n- x\n---\n", "license: apache-2.0\n---\n", "tags: \n---\n"]
)
def test_second_block(second: str) -> None:
    text = card_with(body=f"# Title\n\n{second}\nWords.\n")
    assert len(found(text, "second-block")) == 1
    assert found(card_with(body="# Title\n\n```yaml\n---\nlicense: mit\n---\n```\n"), "second-block") == []


@pytest.mark.parametrize(
    ("value", "rule", "message"),
    [
        ("language: no", "yaml-value", "'no' in quotes"),
        ("x: 12:30", "yaml-value", "base-60"),
        ("x: 0123", "yaml-value", "octal"),
        ("x: 2026-11-20", "yaml-value", "date"),
        ("x: 1e-3", "yaml-value", "0.001"),
        ("x: Results # of the year", "yaml-value", "comment"),
        ("x: !!python/object/apply:numpy.float64 [1]", "yaml-tag", "refused"),
        ("x: Q3: beat", "yaml", "quotes"),
        ("x: @handle", "yaml", "quotes"),
        ("x: &a [1]\ny: *a", "yaml", "alias"),
        ("license: apache-2.0", "yaml", "second time"),
    ],
)
def test_pitfalls_of_yaml(value: str, rule: str, message: str) -> None:
    problems = found(card_with(value + "\n"), rule)
    assert [message in problem.message for problem in problems] == [True]
    assert problems[0].line == 5 + value.count("\n")


@pytest.mark.parametrize(
    "value",
    ["language: 'no'", "x: '12:30'", "x: true", "x: 0.5", "x: 'a # b'", "x: a#b", "x: 10", "x: 1.5e-3"],
)
def test_good_values_of_yaml(value: str) -> None:
    rules = {problem.rule for problem in lint_card(card_with(value + "\n"), None, None)}
    assert not rules & {"yaml", "yaml-tag", "yaml-value"}


@pytest.mark.parametrize(
    ("front", "rule", "line", "message"),
    [
        ("widget: text", "widget", 5, "list"),
        ("widget:\n- text: 5", "widget", 6, "string"),
        ("widget:\n- text: a\n  output:\n  - label: 1\n    score: 0.5", "widget", 8, "string"),
        ("widget:\n- text: a\n  output:\n  - label: up\n    score: '0.5'", "widget", 9, "number"),
        ("widget:\n- text: a\n  output:\n  - label: up\n    score: 1.5", "widget", 9, "less than or equal"),
        ("tags: [a, 1]", "metadata", 5, "list of strings"),
        ("language: [english]", "language", 5, "language code"),
        ("thumbnail:", "metadata", 5, "string"),
        ("base_model_relation: child", "metadata", 5, "finetune"),
        ("model_name: x", "metadata", 5, "model-index"),
        ("co2_eq_emissions:\n  emissions: little", "metadata", 6, "number"),
    ],
)
def test_types_of_metadata(front: str, rule: str, line: int, message: str) -> None:
    problems = found(card_with(front + "\n"), rule)
    assert problems
    assert problems[0].line == line
    assert message in problems[0].message


INDEX = """\
model-index:
- name: m
  results:
  - task:
      type: text-classification
    dataset:
      name: D
      type: d
      split: test
    metrics:
    - type: accuracy
      value: 0.9
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("split: test", "config:", 13, "string"),
        ("      name: D\n", "", 10, "name: Field required"),
        ("      type: d\n", "", 10, "type: Field required"),
        ("value: 0.9", "value:", 16, "number"),
        ("value: 0.9", "value: '90 %'", 16, "number"),
        ("value: 0.9", "value: .nan", 16, "finite"),
        ("- name: m", "- title: m", 6, "name: Field required"),
        ("      type: text-classification\n", "      name: T\n", 8, "type: Field required"),
    ],
)
def test_model_index(old: str, new: str, line: int, message: str) -> None:
    assert lint_card(card_with(INDEX), None, None) == []
    problems = found(card_with(INDEX.replace(old, new)), "model-index")
    assert [problem.line for problem in problems] == [line]
    assert message in problems[0].message


@pytest.mark.parametrize("licence", ["apache-2", "Apache-2.0", "proprietary"])
def test_unknown_licence(licence: str) -> None:
    (problem,) = found(card_with().replace("license: mit", f"license: {licence}"), "license")
    assert problem.line == 2
    assert repr(licence) in problem.message


def test_other_licence_needs_a_name() -> None:
    text = card_with().replace("license: mit", "license: other")
    assert [problem.line for problem in found(text, "license")] == [2]
    assert found(text.replace("other\n", "other\nlicense_name: mine\n"), "license") == []


def test_licence_is_that_of_the_figures(card: str, metrics: Metrics, recipe: Recipe) -> None:
    changed = card.replace("license: apache-2.0", "license: mit")
    (problem,) = lint_card(changed, metrics, None, recipe)
    assert problem == Problem(
        line_of(changed, "license: mit"), "license", "is 'mit', but the sources require 'apache-2.0'"
    )


@pytest.mark.parametrize("key", ["library_name", "pipeline_tag", "license"])
def test_missing_keys(key: str) -> None:
    text = re.sub(rf"{key}: .*\n", "", card_with())
    assert [problem.message for problem in lint_card(text, None, None)] == [f"{key}: Field required"]

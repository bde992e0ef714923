from __future__ import annotations

import codecs
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from finsent.recipe.recipe import Recipe
from model_card.lint import __main__ as lint_command
from model_card.lint.card import Problem, lint_card
from model_card.lint.numbers import known_figures
from model_card.measure.metrics import Metrics
from tests.model_card.samples import make_metrics

BODY = "# Title\n\nWords.\n"


def card_with(front: str = "", body: str = BODY) -> str:
    """Return a small card that is clean but for what is added; `front` begins at line 5."""
    keys = "license: mit\nlibrary_name: transformers\npipeline_tag: text-classification\n"
    return f"---\n{keys}{front}---\n{body}"


def found(text: str, rule: str, release: Path | None = None) -> list[Problem]:
    return [problem for problem in lint_card(text, None, release) if problem.rule == rule]


def command(*arguments: object) -> Any:
    app = typer.Typer()
    app.command()(lint_command.main)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_generated_card_is_clean(card: str, metrics: Metrics, recipe: Recipe, run: Path) -> None:
    assert lint_card(card, metrics, None, recipe) == []
    assert lint_card(card, metrics, run / "release") == []
    assert lint_card(card_with(), None, None) == []


def test_a_problem_prints_its_line() -> None:
    assert str(Problem(12, "dollar", "why")) == "README.md:12: dollar: why"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("\ufeff" + card_with(), 1, "byte order mark"),
        ("<!-- a comment -->\n" + card_with(), 1, "first byte"),
        ("\n" + card_with(), 1, "blanks"),
        ("# Title\n\n" + card_with(), 1, "first byte"),
    ],
)
def test_nothing_stands_before_the_metadata(text: str, line: int, message: str) -> None:
    (problem,) = found(text, "start")
    assert problem.line == line
    assert message in problem.message


@pytest.mark.parametrize(("text", "message"), [(BODY, "there is none"), (card_with("- a\n"), "")])
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
        ("x: 12:30", "yaml-value", "base 60"),
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
        line_of(changed, "license: mit"), "license", "is 'mit', but the sources make it 'apache-2.0'"
    )


@pytest.mark.parametrize("key", ["library_name", "pipeline_tag", "license"])
def test_missing_keys(key: str) -> None:
    text = re.sub(rf"{key}: .*\n", "", card_with())
    assert [problem.message for problem in lint_card(text, None, None)] == [f"{key}: Field required"]


@pytest.mark.parametrize(
    ("words", "problems"),
    [
        ("Buy $AAPL now", 1),
        ("$$x$$", 1),
        ("Buy `$AAPL` now, ``a ` $B``", 0),
        ("```bash\necho $HOME\n```", 0),
        ("[link](https://a.example/$x)", 0),
        ("<!-- $AAPL -->", 0),
    ],
)
def test_dollars_outside_code(words: str, problems: int) -> None:
    text = card_with(body=f"# Title\n\nAbove.\n\n{words}\n")
    assert [problem.line for problem in found(text, "dollar")] == [10] * problems


@pytest.mark.parametrize(
    "words",
    [
        'pipeline(model="[YOUR_HF_USERNAME]/model")',
        "[More Information Needed]",
        "TODO: describe",
        "accuracy {{ metrics.accuracy }}",
        "| accuracy | None |",
        "| accuracy | nan |",
        "<YOUR-NAME>/model",
    ],
)
def test_placeholders(words: str) -> None:
    assert [p.line for p in found(card_with(body=f"# Title\n\n{words}\n"), "placeholder")] == [8]


def test_placeholders_in_code_and_metadata() -> None:
    block = "# Title\n\n```python\nmodel = '[YOUR_HF_USERNAME]/model'\n```\n"
    assert [p.line for p in found(card_with(body=block), "placeholder")] == [9]
    assert [p.line for p in found(card_with("base_model: '[YOUR_MODEL]'\n"), "placeholder")] == [5]
    assert found(card_with(body="# Title\n\nThe text `TODO: sell` is one.\n"), "placeholder") == []


@pytest.mark.parametrize(
    ("block", "line"),
    [
        ("```python\nx = 1\nprint('a)\n```", 10),
        ('```json\n{"a": 1,}\n```', 9),
        ("```yaml\na: [\n```", 9),
        ("```python\nprint(1)\n", 8),
    ],
)
def test_code_that_cannot_be_parsed(block: str, line: int) -> None:
    problems = found(card_with(body=f"# Title\n\n{block}\n"), "code")
    assert len(problems) == 1
    assert problems[0].line in (line, line + 1)


@pytest.mark.parametrize(
    ("line", "problems"),
    [
        ("| `onnx/model_quantized.onnx` | 5.3 MB |", 1),
        ("| `onnx/model_quantized.onnx` | 14.4 MB |", 0),
        ("The quantized model has 5.3 MB.", 1),
        ("| `model.safetensors` | 30.0 MB |", 1),
        ("| `model.safetensors` | 54.8 MiB |", 0),
        ("| `onnx/model_q4.onnx` | 7.3 MB |", 0),
        ("| `onnx/model_q4.onnx` | 6.0 MB |", 1),
        ("| `onnx/model_fp16.onnx` | 20.0 MB |", 1),
        ("| `tokenizer.json` | 0.7 MB |", 0),
    ],
)
def test_sizes_below_what_weights_weigh(line: str, problems: int) -> None:
    text = card_with(body=f"# Title\n\nA model of 14.35M parameters.\n\n{line}\n")
    assert [problem.line for problem in found(text, "size")] == [10] * problems


def test_parameters_are_taken_from_the_figures(card: str, metrics: Metrics, recipe: Recipe) -> None:
    changed = card.replace("14.9 MB", "5.3 MB")
    assert {"size", "figure"} == {problem.rule for problem in lint_card(changed, metrics, None, recipe)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("| Accuracy | 98.8 % on", "| Accuracy | 99.8 % on"),
        ("14,351,187 parameters", "14,500,000 parameters"),
        ("The temperature was 1.2", "The temperature was 1.3"),
        ("| 0.854 |", "| 0.954 |"),
    ],
)
def test_a_changed_figure_in_a_region(
    card: str, metrics: Metrics, recipe: Recipe, old: str, new: str
) -> None:
    assert card.count(old) == 1
    changed = card.replace(old, new)
    problems = lint_card(changed, metrics, None, recipe)
    assert {(problem.line, problem.rule) for problem in problems} == {(line_of(changed, new), "figure")}


@pytest.mark.parametrize(
    ("words", "problems"),
    [
        ("It reaches 91.7 % on news.", 1),
        ("It is 12.7 times faster.", 1),
        ("Trained on 9,999 rows.", 1),
        ("An F1 of 0.9137.", 1),
        ("It has 5.8 MB.", 1),
        ("The quantized file has 14.9 MB.", 0),
        ("The 95 % interval, 14,351,187 parameters, 12 epochs at most.", 0),
        ("Texts after 500 characters, seed 7, 60 W, a learning rate of 6e-05.", 0),
        ("Of 2 or 3 words, since 2019, on 2026-11-20, with v4.57, int8, q8 and transformers 4.57.6.", 0),
        ("As `0.9999` in code, [in 77.7 % of links](https://a.example/8888).", 1),
        ("1. First\n2. Second", 0),
    ],
)
def test_figures_in_prose(card: str, metrics: Metrics, recipe: Recipe, words: str, problems: int) -> None:
    changed = card.replace("## Labels\n", f"## Labels\n\n{words}\n", 1)
    lines = [problem.line for problem in lint_card(changed, metrics, None, recipe)]
    assert lines == [line_of(changed, words)] * problems


def test_a_figure_of_no_measurement_in_model_index(card: str, metrics: Metrics, recipe: Recipe) -> None:
    value = round(metrics.by_source["posts"].accuracy, 4)
    changed = card.replace(f"value: {value}", "value: 0.9999")
    (problem,) = lint_card(changed, metrics, None, recipe)
    assert (problem.line, problem.rule) == (line_of(changed, "value: 0.9999"), "figure")


def test_files_images_and_links_of_the_release(tmp_path: Path) -> None:
    (tmp_path / "there.png").write_bytes(b"")
    text = card_with(
        body=(
            "# Title\n\n![a](there.png) ![b](figures/gone.png) ![c](https://a.example/b.png)\n\n"
            "![](there.png)\n\n[d](there.png#x) [e](docs/gone.md) [f](#title)\n\n"
            "| File | Use |\n| --- | --- |\n| `there.png` | a |\n| `gone.onnx` | b |\n\n"
            "| Name | Use |\n| --- | --- |\n| `no-file` | a |\n"
        )
    )
    problems = [(problem.line, problem.rule) for problem in lint_card(text, None, tmp_path)]
    assert problems == [(8, "image"), (10, "image"), (12, "link"), (17, "file")]


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        ("| a | b |\n| --- | --- |\n| 1 | 2 |", []),
        ("| a | b |\n| --- | --- |\n| 1 |", [10]),
        ("| a | b |\n| --- | --- |\n| 1 | `x|y` |", [10]),
        ("| a | b |\n| --- | --- |\n| 1 | `x\\|y` |", []),
        ("| a | b | c |\n| --- | --- |\n| 1 | 2 |", [8]),
        ("a | b\n--- | ---\n1 | 2", []),
        ("a | b\n--- | ---\n1 | 2 \\|", []),
        ("a | b\n--- | ---\n1 \\|", [10]),
    ],
)
def test_columns_of_tables(table: str, lines: list[int]) -> None:
    text = card_with(body=f"# Title\n\n{table}\n")
    assert [problem.line for problem in found(text, "table")] == lines


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("# A\n\n## B\n\n### C\n\n## D\n", []),
        ("## B\n", [6]),
        ("# A\n\n### C\n", [8]),
        ("# A\n\n# B\n", [8]),
        ("Words.\n", [6]),
        ("# A\n\n```bash\n### no heading\n```\n", []),
    ],
)
def test_order_of_headings(body: str, lines: list[int]) -> None:
    assert [problem.line for problem in found(card_with(body=body), "heading")] == lines


BEGIN, END = "<!-- finsent:begin {} -->\n", "<!-- finsent:end {} -->\n"


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        (BEGIN.format("a"), "never closed"),
        (END.format("a"), "without having been opened"),
        (BEGIN.format("a") + BEGIN.format("b") + END.format("b"), "not closed before b"),
        ((BEGIN.format("a") + END.format("a")) * 2, "second time"),
    ],
)
def test_marks_of_regions(marks: str, message: str) -> None:
    (problem,) = found(card_with(body="# A\n\n" + marks), "region")
    assert message in problem.message


def test_command_exits_with_0_1_and_2(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run / "release", tmp_path / "release")
    card = tmp_path / "release" / "README.md"
    assert command(card).exit_code == 0
    text = card.read_text(encoding="utf-8")
    card.write_text(
        text.replace("# finsent sample\n", "# finsent sample\n\nGood for $AAPL.\n"), encoding="utf-8"
    )
    result = command(card)
    assert result.exit_code == 1
    assert re.fullmatch(r"README\.md:\d+: dollar: .*\n", result.stdout)
    assert command().exit_code == 2
    assert command(tmp_path / "nowhere.md").exit_code == 2


def test_command_on_files_that_are_no_text(tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_bytes(b"---\nlicense: mit\n---\n# caf\xe9\n")
    assert "README.md:4: encoding" in command(card).stdout
    card.write_bytes(codecs.BOM_UTF8 + card_with().encode())
    assert "README.md:1: start" in command(card).stdout
    card.write_bytes(card_with().replace("\n", "\r\n").encode())
    assert command(card).exit_code == 0


def test_command_on_broken_figures(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(card_with(), encoding="utf-8")
    (tmp_path / "metrics.json").write_text("{}", encoding="utf-8")
    result = command(tmp_path / "README.md")
    assert result.exit_code == 1
    assert "metrics.json" in result.stderr


def test_broken_recipe_is_a_problem(card: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("name: 5\n", encoding="utf-8")
    rules = [p for p in lint_card(card, make_metrics(), tmp_path) if p.rule == "figure"]
    assert [problem.line for problem in rules] == [1]
    assert "recipe.yaml" in rules[0].message


def test_known_percentages_are_few(metrics: Metrics, recipe: Recipe) -> None:
    known = known_figures(metrics, recipe)["%"]
    measured = metrics.variant("quantized").scores
    assert f"{100 * measured.accuracy:.1f}" in known
    assert f"{100 * measured.per_class['neutral'].recall:.1f}" in known
    assert len([figure for figure in known if figure.count(".") == 1]) < 150  # of 1001 that can be written

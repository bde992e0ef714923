from __future__ import annotations

from pathlib import Path

import pytest

from finsent.recipe.recipe import Recipe
from model_card.lint.card import lint_card
from model_card.measure.metrics_file import Metrics
from tests.model_card.lint.cards import card_with, found


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

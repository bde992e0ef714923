"""Small cards to spoil, and what the linter says of them."""

from __future__ import annotations

from pathlib import Path

from model_card.lint.card import lint_card
from model_card.lint.problem import Problem

BODY = "# Title\n\nWords.\n"


def card_with(front: str = "", body: str = BODY) -> str:
    """Return a small card that is clean but for what is added; `front` begins at line 5."""
    keys = "license: mit\nlibrary_name: transformers\npipeline_tag: text-classification\n"
    return f"---\n{keys}{front}---\n{body}"


def found(text: str, rule: str, release: Path | None = None) -> list[Problem]:
    return [problem for problem in lint_card(text, None, release) if problem.rule == rule]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1

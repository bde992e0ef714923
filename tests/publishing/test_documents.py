"""What is written about publishing, held against the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from finsent import REPOSITORY
from tests.publishing.faults import FAULTS, STEPS


def _strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("heading", ["Making a recipe and training", "Publishing"])
def test_the_page_of_errors_has_the_messages_that_the_code_has(heading: str) -> None:
    page = (REPOSITORY / "docs" / "errors.md").read_text(encoding="utf-8")
    section = page.partition(f"## {heading}")[2].partition("\n## ")[0]
    messages = re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)
    sources = [
        REPOSITORY / "hub_push.py",
        *sorted((REPOSITORY / "finsent").rglob("*.py")),
        *sorted((REPOSITORY / "model_card").rglob("*.py")),
        *sorted((REPOSITORY / "publishing").rglob("*.py")),
    ]
    known = [text for path in sources for text in _strings(path)]
    assert len(messages) >= 9
    for message in messages:
        for part in re.split(r"…|README\.md", message):  # where a value stands
            assert any(part.strip(" ()") in text for text in known), f"{message!r}: nobody says {part!r}"


def test_the_document_has_a_row_for_every_request() -> None:
    text = (REPOSITORY / "docs" / "publishing.md").read_text(encoding="utf-8")
    for step in STEPS:
        assert f"\n| {step} |" in text
    assert "| Request | " + " | ".join(FAULTS) + " |" in text
    assert "not run" not in text

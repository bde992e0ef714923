"""Who may import whom; the order of the rooms in the design."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from finsent import REPOSITORY

ALLOWED = {
    "inference": {"inference"},
    "finsent": {"finsent", "inference"},
    "export": {"export", "finsent", "inference"},
    "model_card": {"model_card", "export", "finsent", "inference"},
    "publishing": {"publishing", "model_card", "export", "finsent", "inference"},
    "space": {"inference"},
    "serving": {"serving", "inference"},
    "local_hub": {"local_hub"},
    "benchmarks": {
        "benchmarks", "publishing", "model_card", "export", "finsent", "inference", "local_hub", "tests",
    },  # its browser
}  # fmt: skip
OURS = {*ALLOWED, "train", "hub_push", "tests", "data"}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    files = sorted((REPOSITORY / room).rglob("*.py"))
    assert files
    for path in files:
        forbidden = (set(_imports(path)) & OURS) - ALLOWED[room]
        assert not forbidden, f"{path.relative_to(REPOSITORY)} imports {forbidden}"

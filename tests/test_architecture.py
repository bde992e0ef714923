"""The documents that say where things are name files and words that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from finsent import REPOSITORY

ARCHITECTURE = REPOSITORY / "docs" / "architecture.md"
FILE = re.compile(r"(?<![\w./-])((?:[a-z_]+/)+(?:[\w.]+\.(?:py|md|css|json|jinja))?|[a-z_]+\.py)(?![\w/])")
WORD = re.compile(r"`([A-Za-z_]+)`")


def named_files(text: str) -> set[str]:
    return {name for name in FILE.findall(text) if not name.startswith(("onnx/", "runs/", "recipes/x"))}


def is_there(name: str) -> bool:
    return (REPOSITORY / name).exists() or bool(list(REPOSITORY.glob(f"[!.]*/**/{name}")))


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_file_that_a_document_names_is_there(document: str) -> None:
    named = named_files((REPOSITORY / document).read_text(encoding="utf-8"))
    assert len(named) > 8
    assert [name for name in sorted(named) if not is_there(name)] == []


def test_the_table_of_rooms_has_every_room() -> None:
    table = ARCHITECTURE.read_text(encoding="utf-8").partition("## Rooms")[2].partition("## ")[0]
    named = set(re.findall(r"(?m)^\| `(\w+)/", table))
    rooms = {path.parts[-2] for path in REPOSITORY.glob("[!.]*/__init__.py")}
    assert len(rooms) > 8 and rooms - named == set()


def test_every_function_that_the_answers_name_is_there() -> None:
    answers = ARCHITECTURE.read_text(encoding="utf-8").partition("## Adding something")[2]
    code = "\n".join(_read(path) for path in _sources())
    words = {word for word in WORD.findall(answers) if "_" in word or word[0].isupper()}
    assert {"choose_space_id", "RENAMED", "HubSettings"} <= words
    assert [word for word in sorted(words) if not re.search(rf"\b{word}\b", code)] == []


def _sources() -> list[Path]:
    rooms = [path for path in REPOSITORY.glob("[!.]*") if path.is_dir() and path.name != "tests"]
    return [*REPOSITORY.glob("*.py"), *(file for room in rooms for file in room.rglob("*.py"))]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")

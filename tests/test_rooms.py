"""Who may import whom; docs/architecture.md says why."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from finsent import REPOSITORY

# A room, and the rooms beside itself that its modules import: no more than these, and each of them somewhere.
ROOMS: dict[str, set[str]] = {
    "inference": set(),
    "finsent": {"inference"},
    "export": {"finsent"},
    "model_card": {"export", "finsent", "inference"},
    "tuning": {"finsent", "model_card"},
    "publishing": {"finsent", "local_hub", "model_card"},
    "space": {"inference"},
    "serving": {"inference"},
    "local_hub": set(),
    "benchmarks": {"export", "finsent", "inference", "model_card", "publishing", "tuning"},
    "data": {"finsent"},
    "docs": {"benchmarks", "finsent", "local_hub"},
}
STORIES = {
    "train": {"export", "finsent", "model_card"},
    "pretrain": {"finsent"},
    "tune": {"finsent", "tuning"},
    "hub_push": {"finsent", "publishing"},
}
OURS = {*ROOMS, *STORIES, "tests"}
Graph = Mapping[str, Iterable[str]]


def python_files(room: str) -> list[Path]:
    folder = REPOSITORY / room
    files = [path.relative_to(REPOSITORY) for path in folder.rglob("*.py")]
    return sorted(files) if folder.is_dir() else [Path(f"{room}.py")]


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for room in OURS for path in python_files(room)}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, within functions too, but not for types alone."""
    tree = ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and node not in for_types:
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node not in for_types and node.module:
            yield from (_imported(node.module, name.name) for name in node.names)


def _imported(module: str, name: str) -> str:
    return f"{module}.{name}" if f"{module}.{name}" in MODULES else module


@functools.cache
def imported_modules(name: str) -> frozenset[str]:
    """The modules of ours that a module imports; those of a Space call each other by bare names."""
    path = MODULES[name]
    beside = "space." if path.parts[0] == "space" else ""
    named = set(imports(path))
    return frozenset(({f"{beside}{one}" for one in named} | named) & MODULES.keys() - {name})


def room_of(module: str) -> str:
    return module.partition(".")[0]


def imported_rooms(room: str) -> set[str]:
    modules = (module_name(path) for path in python_files(room))
    return {room_of(one) for module in modules for one in imported_modules(module)} - {room}


def circle(graph: Graph) -> list[str]:
    """The members of one circle, none where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as found:
        return list(found.args[1])
    return []


@pytest.mark.parametrize(("room", "allowed"), [*ROOMS.items(), *STORIES.items()])
def test_a_room_imports_what_it_may_and_may_no_more_than_it_does(room: str, allowed: set[str]) -> None:
    assert imported_rooms(room) == allowed


@pytest.mark.parametrize("story", STORIES)
def test_only_tests_import_a_story(story: str) -> None:
    readers = {name for name in MODULES if story in imported_modules(name)}
    assert {room_of(name) for name in readers} <= {"tests"}


def test_tests_are_imported_by_tests_alone() -> None:
    assert not [room for room in OURS - {"tests"} if "tests" in imported_rooms(room)]


def test_rooms_form_no_circle() -> None:
    assert circle(ROOMS | STORIES) == []


@pytest.mark.parametrize("room", [*ROOMS, "tests"])
def test_modules_form_no_circle(room: str) -> None:
    modules = [module_name(path) for path in python_files(room)]
    assert circle({module: imported_modules(module) for module in modules}) == []


def test_a_circle_is_found() -> None:
    assert set(circle({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]})) == {"a", "b", "c"}


def test_every_folder_with_code_has_a_row() -> None:
    folders = {path.parent for pattern in ("*/*.py", "*/*/*.py") for path in REPOSITORY.glob(pattern)}
    rooms = {folder.relative_to(REPOSITORY).parts[0] for folder in folders}
    assert {room for room in rooms if not room.startswith(".")} - {"runs"} == {*ROOMS, "tests"}

from __future__ import annotations

from pathlib import Path

import pytest

from finsent import REPOSITORY
from finsent.endpoint import find_foreign_files, write_endpoint_files
from finsent.release import ENDPOINT_FILES, HANDLER, REQUIREMENTS


def test_the_files_are_those_of_the_project(tmp_path: Path) -> None:
    write_endpoint_files(tmp_path)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == set(ENDPOINT_FILES)
    assert (tmp_path / HANDLER).read_bytes() == (REPOSITORY / "serving" / "handler.py").read_bytes()
    for name in ("inference/__init__.py", "inference/classifier.py"):
        assert (tmp_path / name).read_bytes() == (REPOSITORY / name).read_bytes()


def test_the_requirement_is_the_projects_pin_and_the_only_one(tmp_path: Path) -> None:
    write_endpoint_files(tmp_path)
    lines = (tmp_path / REQUIREMENTS).read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) == 1 and pins[0].startswith("onnxruntime==")
    assert pins[0] in (REPOSITORY / REQUIREMENTS).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", ENDPOINT_FILES)
@pytest.mark.parametrize("change", ["one more line", "none"])
def test_a_file_of_somebody_else_is_named(name: str, change: str, tmp_path: Path) -> None:
    write_endpoint_files(tmp_path)
    assert find_foreign_files(tmp_path) == []
    if change == "none":
        (tmp_path / name).unlink()
    else:
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write("import os\n")
    assert find_foreign_files(tmp_path) == [name]

"""Recipes on disk: the tiny one, and a student with its teacher."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests import tiny


def write_recipe(folder: Path, **changes: object) -> Path:
    return tiny.write_recipe(folder, folder, **changes)


def write_taught(folder: Path, **changes: object) -> Path:
    write_recipe(folder)
    teacher = folder / "teacher.yaml"
    teacher.write_text(
        yaml.safe_dump({"extends": "tiny.yaml", "name": "teacher"} | changes), encoding="utf-8"
    )
    student = folder / "student.yaml"
    student.write_text("extends: tiny.yaml\nname: student\ndistillation: {teachers: [teacher.yaml]}\n")
    return student

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from model_card.card import __main__ as card_command


def command(*arguments: object) -> Any:
    app = typer.Typer()
    app.command()(card_command.main)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_command_renders_again(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    card = tmp_path / "run" / "release" / "README.md"
    before = card.read_bytes()
    card.unlink()
    assert command(tmp_path / "run").exit_code == 0
    assert card.read_bytes() == before


def test_check_notices_a_changed_card(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    assert command(tmp_path / "run", "--check").exit_code == 0
    card = tmp_path / "run" / "release" / "README.md"
    changed = re.sub(r"\d\d\.\d %", "99.9 %", card.read_text(encoding="utf-8"), count=1)
    card.write_text(changed, encoding="utf-8")
    result = command(tmp_path / "run", "--check")
    assert result.exit_code == 1
    assert "--check" in result.stderr
    assert card.read_text(encoding="utf-8") == changed


def test_command_names_what_is_missing(tmp_path: Path) -> None:
    result = command(tmp_path)
    assert result.exit_code == 1
    assert "recipe.yaml" in result.stderr

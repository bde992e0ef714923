from __future__ import annotations

import codecs
import re
import shutil
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from model_card.lint import __main__ as lint_command
from tests.model_card.lint.cards import card_with


def command(*arguments: object) -> Any:
    app = typer.Typer()
    app.command()(lint_command.main)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


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

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from model_card.snippets import __main__ as command


@pytest.mark.parametrize(("code", "status"), [("print('x')", 0), ("1 / 0", 1)])
def test_command_exits_1_when_a_block_fails(run: Path, tmp_path: Path, code: str, status: int) -> None:
    shutil.copytree(run, tmp_path / "run")
    card = tmp_path / "run" / "release" / "README.md"
    card.write_text(f"# t\n\n```python\n{code}\n```\n", encoding="utf-8")
    app = typer.Typer()
    app.command()(command.main)
    result = CliRunner().invoke(app, [str(tmp_path / "run"), "--all"])
    assert result.exit_code == status
    assert ("failed" in result.stdout) == bool(status)

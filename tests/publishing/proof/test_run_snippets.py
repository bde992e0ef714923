from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from publishing.proof import run_snippets


@pytest.fixture
def edited(tiny_release: Path, tmp_path: Path) -> Path:
    """A run whose card has two blocks of somebody else."""
    folder = Path(shutil.copytree(tiny_release, tmp_path / "tiny" / "release"))
    (folder / "README.md").write_text("# x\n\n```json\n{}\n```\n\n```json\n{\n```\n", encoding="utf-8")
    return folder.parent


@pytest.mark.parametrize(("job", "states"), [("all", ["ok", "failed"]), ("rendered", ["not run", "not run"])])
def test_what_became_of_each_block_is_printed_as_json(
    job: str,
    states: list[str],
    edited: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(run_snippets, "take_termination_as_interrupt", lambda: None)  # of this process
    monkeypatch.setattr(sys, "argv", ["run_snippets", str(edited), job])
    for name in ("NODE_PATH", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    run_snippets.main()
    told = json.loads(capsys.readouterr().out)
    assert [(one["line"], one["language"]) for one in told] == [(3, "json"), (7, "json")]
    assert [one["state"] for one in told] == states

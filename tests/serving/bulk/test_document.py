"""docs/bulk.md: its commands on this machine are run, the options of those for a cluster are there."""

from __future__ import annotations

import gzip
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from finsent import REPOSITORY
from serving.bulk.__main__ import app
from tests.serving.bulk.test_bulk import read_output

DOCUMENT = (REPOSITORY / "docs" / "bulk.md").read_text(encoding="utf-8")
COMMAND = "python -m serving.bulk "
COMMANDS = [
    shlex.split(line.removeprefix(COMMAND))
    for block in re.findall(r"(?s)```bash\n(.*?)```", DOCUMENT)
    for line in block.splitlines()
    if line.startswith(COMMAND)
]

HERE = [command for command in COMMANDS if "ray" not in command]
(RAY_HERE,) = [command for command in COMMANDS if "ray" in command and "--address" not in command]


def test_a_command_is_run_by_a_test_or_said_to_be_untried() -> None:
    """RAY_HERE is run by test_cluster.py, in an environment made of the file that pip is told to install."""
    untried = [command for command in COMMANDS if command not in (*HERE, RAY_HERE)]
    assert all("s3://" in " ".join(command) for command in untried)
    assert "Several machines and `s3://` have not been tried" in " ".join(DOCUMENT.split())
    others = [
        line
        for block in re.findall(r"(?s)```bash\n(.*?)```", DOCUMENT)
        for line in block.splitlines()
        if not line.startswith(COMMAND)
    ]
    assert others == [
        "pip install -r serving/requirements-ray.txt",
        "python -m benchmarks.bulk runs/finsent-nano/release",
    ]
    assert "No test runs this command" in " ".join(DOCUMENT.split())


def test_the_commands_of_this_machine_run(
    tiny_release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs" / "quickstart").mkdir(parents=True)
    (tmp_path / "runs" / "quickstart" / "release").symlink_to(tiny_release)
    (tmp_path / "news.jsonl.gz").write_bytes(gzip.compress(b'{"title": "profit rose"}\n' * 3))
    monkeypatch.chdir(tmp_path)
    assert len(HERE) == 2
    for command in HERE:
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
    assert len(read_output(tmp_path / "answers")) == 3


def test_the_options_it_names_are_there() -> None:
    shown = CliRunner().invoke(app, ["--help"], terminal_width=200).output
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", DOCUMENT)) - {"--chown", "--no-cache-dir"}
    assert {"--engine", "--address", "--threads", "--resume", "--text", "--id"} <= named
    assert sorted(option for option in named if option not in shown) == []


def _pins(name: str) -> dict[str, str]:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    return dict(re.findall(r"(?m)^([\w.-]+)==([\w.]+)$", text))


def test_ray_has_the_versions_of_the_project() -> None:
    ours, project = _pins("serving/requirements-ray.txt"), _pins("requirements.txt")
    assert {name for name, pin in ours.items() if project.get(name) != pin} == {"ray", "msgpack"}
    assert "-r requirements.txt\n" in (REPOSITORY / "serving" / "requirements-ray.txt").read_text("utf-8")
    assert f"rayproject/ray:{ours['ray']}-py311" in DOCUMENT and f"rayVersion: {ours['ray']}" in DOCUMENT

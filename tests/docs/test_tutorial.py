"""The tutorial as a reader follows it: every command of the page, in its order."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from finsent import REPOSITORY
from finsent.recipe.file import load_recipe

PAGE = REPOSITORY / "docs" / "tutorial.md"
SERVE = "python -m local_hub serve"
PUBLISHED = "http://127.0.0.1:8090"


def read_blocks(language: str = "bash") -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout without what its owner made: the code by links, and recipes of its own."""
    names = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for name in {line.partition("/")[0] for line in names.stdout.splitlines()} - {"recipes"}:
        (tmp_path / name).symlink_to(REPOSITORY / name)
    (tmp_path / "recipes").mkdir()
    return tmp_path


def run(block: str, folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block], cwd=folder, capture_output=True, text=True, timeout=1200,
        env=_environment(folder), check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done


def run_python(address: str, folder: Path) -> str:
    """Run the Python of the page with the Hub at another address; return what it prints."""
    (code,) = read_blocks("python")
    assert code.count(PUBLISHED) == 1
    done = subprocess.run(
        [sys.executable, "-c", code.replace(PUBLISHED, address)], cwd=folder, capture_output=True, text=True,
        timeout=600, env={**_environment(folder), "HF_HOME": str(folder / "home")}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def _environment(folder: Path) -> dict[str, str]:
    """`python` is the one of this test."""
    (folder / "bin").mkdir(exist_ok=True)
    if not (folder / "bin" / "python").exists():
        command = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n'
        (folder / "bin" / "python").write_text(command, encoding="utf-8")
        (folder / "bin" / "python").chmod(0o755)
    return {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}


def test_every_command_is_one_of_ours_and_takes_these_options() -> None:
    """Quick: what the slow test would find after minutes is found at once."""
    blocks = read_blocks()
    commands = [line for block in blocks[1:] for line in block.replace("\\\n", " ").splitlines()]
    assert len(commands) == 8
    for command in commands:
        words = shlex.split(command.partition(" > ")[0])
        assert words[0] == "python"
        program = words[1:3] if words[1] == "-m" else words[1:2]
        told = subprocess.run(
            [sys.executable, *program, *(["serve"] if "local_hub" in program else []), "--help"],
            cwd=REPOSITORY, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "200"},
        ).stdout  # fmt: skip
        if program == ["hub_push.py"]:
            told += _help_of("push")
        assert [word for word in words if word.startswith("--") and word not in told] == [], command


def _help_of(command: str) -> str:
    return subprocess.run(
        [sys.executable, "hub_push.py", command, "--help"], cwd=REPOSITORY, capture_output=True, text=True,
        check=True, env={**os.environ, "COLUMNS": "200"},
    ).stdout  # fmt: skip


def test_the_recipe_of_the_tutorial_says_what_the_page_says(folder: Path) -> None:
    table, new = read_blocks()[:2]
    run(table, folder)
    done = run(new, folder)
    assert done.stdout == "recipes/feedback.yaml\n"
    recipe = load_recipe(folder / "recipes" / "feedback.yaml")
    assert recipe.labels == ["complaint", "praise", "question"] and recipe.card.unit.many == "comments"
    assert recipe.hub.model == "me/feedback" and recipe.card.authors == ["A reader of the tutorial"]
    assert "TO FILL IN" in (folder / "recipes" / "feedback.yaml").read_text(encoding="utf-8")


def test_the_python_of_the_page_names_the_published_model_at_the_served_address() -> None:
    (code,) = read_blocks("python")
    assert code.count(PUBLISHED) == 1 and '"me/feedback"' in code
    assert code.index("HF_ENDPOINT") < code.index("import pipeline")


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_every_command_of_the_tutorial_does_what_the_page_says(folder: Path) -> None:
    for block in read_blocks():
        if block.startswith(SERVE):
            with served(block, folder) as address:
                page = urllib.request.urlopen(f"{address}/me/feedback", timeout=60).read().decode()
                assert "comments" in page and "A reader of the tutorial" in page
                assert "'label': 'question'" in run_python(address, folder)
        else:
            run(block, folder)
    with (folder / "answers.csv").open(encoding="utf-8") as file:
        answers = list(csv.DictReader(file))
    assert len(answers) == 120 and {row["label"] for row in answers} == {"complaint", "praise", "question"}
    later = json.loads((folder / "later.scores.json").read_text(encoding="utf-8"))
    assert later["scores"]["n"] == 120 and later["scores"]["accuracy"] > 0.9
    card = (folder / "runs" / "feedback" / "release" / "README.md").read_text(encoding="utf-8")
    assert "financ" not in card.lower() and "headline" not in card.lower()


@contextmanager
def served(block: str, folder: Path) -> Iterator[str]:
    """Run the server of a block at a free port while the context lasts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["bash", "-c", f"exec {block.strip()} --port {port}"]
    with subprocess.Popen(
        command, cwd=folder, env=_environment(folder), stderr=subprocess.DEVNULL
    ) as process:
        try:
            _await(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _await(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the server of the tutorial does not answer")

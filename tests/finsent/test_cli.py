from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from finsent import REPOSITORY
from finsent.claim import claimed
from finsent.cli import confirm, fail, make_app, plain, reporting_errors
from finsent.errors import FinsentError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FinsentError("x.yaml: is no recipe"), "story.py: x.yaml: is no recipe"),
        (FileNotFoundError(2, "No such file", "rows.csv"), "story.py: [Errno 2] No such file: 'rows.csv'"),
        (KeyboardInterrupt(), "story.py: interrupted; nothing was sent"),
    ],
)
def test_what_a_person_caused_is_one_line_and_exit_1(
    error: BaseException, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/story.py"])
    with pytest.raises(typer.Exit) as ended, reporting_errors("nothing was sent"):
        raise error
    told = capsys.readouterr()
    assert (ended.value.exit_code, told.err, told.out) == (1, f"{line}\n", "")


def test_an_interruption_may_say_itself_where_to_look(capsys: pytest.CaptureFixture[str]) -> None:
    stop = KeyboardInterrupt()
    stop.add_note("receipt.json says what is on the Hub")
    with pytest.raises(typer.Exit), reporting_errors("nothing was sent"):
        raise stop
    assert capsys.readouterr().err.endswith("interrupted; receipt.json says what is on the Hub\n")


@pytest.mark.parametrize(("script", "name"), [("/x/train.py", "train.py"), ("/x/card/__main__.py", "card")])
def test_a_failure_names_the_command(
    script: str, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [script])
    with pytest.raises(typer.Exit):
        fail("why")
    assert capsys.readouterr().err == f"{name}: why\n"


def test_examples_in_the_help_stay_lines() -> None:
    app = make_app("Do it.\n\npython x.py a\npython x.py b\n\nMore.\n")
    app.command(help=app.info.help)(lambda: None)
    told = CliRunner().invoke(app, ["--help"]).stdout
    assert "  python x.py a\n  python x.py b\n" in told and "\b" not in told


def test_a_bug_keeps_its_traceback(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), reporting_errors(""), claimed(tmp_path):
        raise ZeroDivisionError


def test_where_nobody_can_answer_nothing_is_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(FinsentError, match="no terminal to ask on: add --yes"):
        confirm("Publish this?")


def test_what_a_hub_says_cannot_steer_a_terminal() -> None:
    assert plain("a\x1b[2J\x9b1m\u202eb\ttab\nline é 株 📈") == "a\ufffd[2J\ufffd1m\ufffdb\ttab\nline é 株 📈"


def test_no_letter_ends_a_story() -> None:
    script = (
        f"from finsent.cli import print_anywhere, say; print_anywhere(); print({'Δ — 株 📈'!a}); say({'Δ'!a})"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii:strict", "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(rb"\u0394 \u2014") and b"\\u0394" in done.stderr

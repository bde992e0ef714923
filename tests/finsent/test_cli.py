from __future__ import annotations

import errno
import shutil
import sys
from pathlib import Path

import pytest
import typer

from finsent.cli import check_disk, claimed, confirm, is_storage_error, reporting_errors
from finsent.errors import FinsentError


def test_only_a_failed_write_is_told_as_one() -> None:
    def told(error: BaseException) -> bool:
        try:
            try:
                raise OSError(errno.ENOSPC, "No space left on device")
            except OSError:
                raise error from None
        except BaseException as caught:
            return is_storage_error(caught)

    assert is_storage_error(OSError(errno.ENOSPC, "No space left on device"))
    assert not is_storage_error(FileNotFoundError(errno.ENOENT, "no such file"))
    assert not told(ValueError("something else"))


def test_too_little_room_is_said_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("finsent.cli.shutil.disk_usage", lambda _: usage._replace(free=10**8))
    with pytest.raises(FinsentError, match=r"0.1 GB are free, a run needs 2 GB; make room"):
        check_disk(tmp_path / "runs")


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
    stop.add_note("receipt.json says what stands on the Hub")
    with pytest.raises(typer.Exit), reporting_errors("nothing was sent"):
        raise stop
    assert capsys.readouterr().err.endswith("interrupted; receipt.json says what stands on the Hub\n")


def test_a_bug_keeps_its_traceback(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), reporting_errors(""), claimed(tmp_path):
        raise ZeroDivisionError


def test_a_failed_write_names_the_folder(tmp_path: Path) -> None:
    message = r"run: cannot be written \(bad\); make room and run again with --resume"
    with pytest.raises(FinsentError, match=message), claimed(tmp_path / "run"):
        raise RuntimeError("bad") from OSError(errno.ENOSPC, "No space left on device")


def test_where_nobody_can_answer_nothing_is_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(FinsentError, match="nobody to ask here: add --yes"):
        confirm("Publish this?")

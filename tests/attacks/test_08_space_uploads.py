"""Files that would exhaust the Space: refused while they are read, in a process that ends."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import uploads
from table import MOST_BYTES
from uploads import MOST_MEMORY, read_upload

from tests.attacks.hostile_files import REFUSED_WHILE_READ, write_large, write_slow
from tests.attacks.served import wait_until


def is_reader(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return "reader.py" in str(process.cmdline())
    return False


class Children(threading.Thread):
    """Watches the processes that this one starts: the most memory that one had, in bytes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.before = {child.pid for child in psutil.Process().children()}
        self.most, self.over = 0, False

    def run(self) -> None:
        while not self.over:
            for child in self.alive():
                try:
                    self.most = max(self.most, child.memory_info().rss)
                except psutil.Error:  # it has just ended
                    continue
            time.sleep(0.01)

    def alive(self) -> list[psutil.Process]:
        """The readers; a process that is only forked yet has this one's command line, and its memory."""
        found = (child for child in psutil.Process().children() if child.pid not in self.before)
        return [child for child in found if is_reader(child)]


@contextmanager
def watching() -> Iterator[Children]:
    children = Children()
    children.start()
    yield children
    children.over = True
    children.join()
    assert children.alive() == []


@pytest.mark.parametrize("name", REFUSED_WHILE_READ)
def test_a_file_that_unpacks_to_too_much_is_refused_while_it_is_read(tmp_path: Path, name: str) -> None:
    write, said = REFUSED_WHILE_READ[name]
    write(tmp_path / name)
    assert (tmp_path / name).stat().st_size < MOST_BYTES  # so Gradio takes it
    with watching() as children:
        found = read_upload(str(tmp_path / name), None, tmp_path / "kept")
    assert said in (found.problem or "")
    assert 0 < children.most < 0.6 * MOST_MEMORY
    assert not list((tmp_path / "kept").iterdir())


def test_a_file_that_needs_too_much_memory_ends_its_reader_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_MEMORY", 200_000_000)
    with watching() as children:
        found = read_upload(str(write_large(tmp_path / "a.parquet")), None, tmp_path / "kept")
    assert "of memory or 60 s of a processor to be read: split it" in (found.problem or "")
    assert children.most < 400_000_000
    assert not list((tmp_path / "kept").iterdir())


def test_a_file_that_needs_too_much_time_ends_its_reader_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_SECONDS", 1)
    with watching():
        found = read_upload(str(write_slow(tmp_path / "a.xlsx")), None, tmp_path / "kept")
    assert "1 s of a processor to be read: split it" in (found.problem or "")


def test_a_reader_that_does_nothing_is_ended_by_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reader.py").write_text("import time\ntime.sleep(600)\n", encoding="utf-8")
    monkeypatch.setattr(uploads, "READER", tmp_path / "reader.py")
    monkeypatch.setattr(uploads, "PATIENCE", 0.5)
    with watching():
        found = read_upload("a.csv", None, tmp_path / "kept")
    assert "not read within 0.5 s" in (found.problem or "")


READING = """
import sys
sys.path[:0] = sys.argv[3:]
from pathlib import Path
from uploads import read_upload
read_upload(sys.argv[1], None, Path(sys.argv[2]))
"""


@pytest.mark.parametrize("moment", ["at once", "while it reads"])
def test_no_reader_outlives_its_parent(tmp_path: Path, moment: str) -> None:
    """What starts readers is killed, at the latest and at the earliest moment: before a reader has set up."""
    slow = write_slow(tmp_path / "slow.xlsx")
    command = [sys.executable, "-c", READING, str(slow), str(tmp_path / "kept"), *sys.path]
    with subprocess.Popen(command) as parent:
        reader = wait_for_reader(psutil.Process(parent.pid))
        if moment == "while it reads":
            wait_until(lambda: reader.nice() == 5)  # the last thing before it asks to end with its parent
            time.sleep(0.2)
        parent.kill()
    used = 0.0
    while reader.is_running() and used < 10:
        with suppress(psutil.Error):
            used = sum(reader.cpu_times()[:2])
        time.sleep(0.02)
    with suppress(psutil.NoSuchProcess):
        reader.kill()
    assert used < 4  # seconds of a processor; the whole file takes over five


def wait_for_reader(parent: psutil.Process) -> psutil.Process:
    found: list[psutil.Process] = []
    wait_until(lambda: found.extend(child for child in parent.children() if is_reader(child)) or found)
    return found[0]

"""While one visitor's file is read, others are answered."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from publishing.space.forms import write_form
from tests.attacks.hostile_files import write_slow
from tests.attacks.visitor import Visitor
from tests.space.conftest import SUBJECT, Demo, running_demo

SECONDS = 5  # of a processor that a reader may use here; the app gives it more

DESCRIBED: list[str | None] = [None, "column", "header", "about-input"]


@pytest.fixture
def demo(tiny_release: Path, tmp_path: Path) -> Iterator[Demo]:
    """The app as it is sent, with less patience."""
    write_form("gradio", SUBJECT, tmp_path / "form")
    module = tmp_path / "form" / "uploads.py"
    code = module.read_text(encoding="utf-8")
    assert "\nMOST_SECONDS = 60 " in code
    module.write_text(code.replace("\nMOST_SECONDS = 60 ", f"\nMOST_SECONDS = {SECONDS} "), encoding="utf-8")
    with running_demo(sys.executable, tmp_path / "form", tiny_release, tmp_path / "app.log") as running:
        yield running


def readers(demo: Demo) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        children = psutil.Process(demo.process.pid).children()
        return [one for one in children if "reader.py" in str(one.cmdline())]
    return []


def describe(visitor: Visitor, file: Path) -> str:
    [*_, said] = visitor.send([None, "file"], DESCRIBED, [None, visitor.upload(file)])
    return str(said)


def wait_for_reader(demo: Demo) -> psutil.Process:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := readers(demo):
            return found[0]
        time.sleep(0.02)
    raise AssertionError("no reader was started within a minute")


def test_one_visitors_file_stops_no_other(demo: Demo, tmp_path: Path) -> None:
    slow, good = write_slow(tmp_path / "slow.xlsx"), tmp_path / "good.csv"
    good.write_text("id,headline\n1,Profit rose\n", encoding="utf-8")
    said: list[str] = []
    one, other = Visitor(demo.address), Visitor(demo.address)
    waiting = threading.Thread(target=lambda: said.append(describe(one, slow)))
    waiting.start()
    wait_for_reader(demo)
    assert "1 row, 2 columns" in describe(other, good)
    assert "fs-verdict" in other.send(["text"], ["answer", "words"], ["Profit rose"])[0]
    assert waiting.is_alive() and said == []  # both were answered while the slow file was read
    waiting.join(120)
    assert f"{SECONDS} s of a processor to be read" in said[0]
    assert readers(demo) == []

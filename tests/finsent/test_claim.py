from __future__ import annotations

import errno
import shutil
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from finsent.claim import LOCK, check_disk, claimed, is_storage_error
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
    monkeypatch.setattr("finsent.claim.shutil.disk_usage", lambda _: usage._replace(free=10**8))
    with pytest.raises(FinsentError, match=r"0.1 GB are free, but a run needs 2 GB; make room"):
        check_disk(tmp_path / "runs")


def test_a_failed_write_names_the_folder(tmp_path: Path) -> None:
    message = r"run: cannot be written \(bad\); free some disk space and run again with --resume"
    with pytest.raises(FinsentError, match=message), claimed(tmp_path / "run"):
        raise RuntimeError("bad") from OSError(errno.ENOSPC, "No space left on device")


def test_who_waits_comes_in_when_the_other_is_done(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with claimed(tmp_path, wait=True):
            order.append("second")

    with FileLock(tmp_path / LOCK):
        with pytest.raises(FinsentError, match="another run is building this release"), claimed(tmp_path):
            pytest.fail("two at once")
        waiting = threading.Thread(target=second)
        waiting.start()
        order.append("first")
    waiting.join(30)
    assert order == ["first", "second"]

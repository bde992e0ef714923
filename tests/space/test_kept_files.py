from __future__ import annotations

import os
import time
from pathlib import Path

from kept_files import sweep


def test_old_results_are_swept(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    (tmp_path / "old" / "result.csv").write_text("x")
    os.utime(tmp_path / "old", (time.time() - 100, time.time() - 100))
    sweep(tmp_path, 50)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    sweep(tmp_path / "never made", 50)


def test_a_folder_that_another_sweep_took_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to(tmp_path / "taken")  # listed, and not there when it is looked at
    sweep(tmp_path, 50)
    assert (tmp_path / "gone").is_symlink()

"""Environments of other processes are made once, however many tests ask for them at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks import environments


def test_two_at_once_make_one_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path / ".envs")
    made = []

    def make(_: int) -> None:
        with environments._made_once(tmp_path / ".envs" / "one") as is_new:
            if is_new:
                (tmp_path / ".envs" / "one").mkdir()
                made.append(is_new)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(8)))
    assert made == [True]


def test_an_environment_that_could_not_be_made_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path)
    with pytest.raises(OSError, match="full"), environments._made_once(tmp_path / "one"):
        (tmp_path / "one").mkdir()
        raise OSError("the disk is full")
    with environments._made_once(tmp_path / "one") as is_new:
        assert is_new and not (tmp_path / "one").exists()
        (tmp_path / "one").mkdir()
    with environments._made_once(tmp_path / "one") as is_new:
        assert not is_new

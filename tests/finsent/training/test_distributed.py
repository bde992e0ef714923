from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from finsent.errors import FinsentError
from finsent.pretraining import start
from finsent.training import distributed
from finsent.training.distributed import agree, check_share, gathered, run_in_all, tell_processes
from tests.finsent.pretraining import samples

DONE = subprocess.CompletedProcess([], 0)


@pytest.mark.parametrize(("batch", "processes"), [(32, 1), (32, 8), (7, 7), (33, 11)])
def test_a_batch_that_can_be_shared_is(batch: int, processes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "count_processes", lambda: processes)
    check_share(batch)


def test_a_batch_that_cannot_be_shared_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "count_processes", lambda: 2)
    message = (
        r"training.batch_size: got 33, which 2 processes cannot share evenly; start a number that divides it "
        r"\(1, 3, 11, 33\), or choose a multiple of 2"
    )
    with pytest.raises(FinsentError, match=message):
        check_share(33)
    assert tell_processes() == ", shared by 2 processes"


def test_a_run_without_a_launcher_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    with gathered() as first:
        assert first and distributed.count_processes() == 1
        assert run_in_all(lambda: 7) == agree(7) == 7
    assert tell_processes() == ""


def test_more_processes_than_gpus_are_refused_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for name in (*distributed.LAUNCHED, "LOCAL_WORLD_SIZE"):
        monkeypatch.setenv(name, "4")
    monkeypatch.setenv("RANK", "0")
    with (
        pytest.raises(FinsentError, match="4 processes were started, but this machine has 2 GPUs"),
        gathered(),
    ):
        pass
    monkeypatch.setenv("RANK", "3")
    with pytest.raises(SystemExit) as silent, gathered():
        pass
    assert silent.value.code == 1


def test_an_error_of_the_work_stays_what_it_is() -> None:
    def work() -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        run_in_all(work)


def test_another_process_that_is_gone_is_told() -> None:
    def work() -> None:
        raise RuntimeError("[pair.cc:534] Connection closed by peer [127.0.0.1]:2107")

    with pytest.raises(FinsentError, match=r"has ended; the launcher .* Run again with --resume"):
        run_in_all(work)


def test_an_encoder_is_made_by_a_process_that_waits_for_no_other(
    tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told: dict[str, Any] = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}
    told |= {"MASTER_PORT": "1", "LOCAL_WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "x", "GROUP_RANK": "0"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    started: list[dict[str, str]] = []
    monkeypatch.setattr(start.subprocess, "run", lambda *_, env, **__: started.append(env) or DONE)
    monkeypatch.setattr(start, "count_processes", lambda: 2)
    start.ensure_encoder(samples.load(tmp_path, tiny_base), tmp_path / "runs", None)
    (environment,) = started
    assert not set(told) & set(environment) and environment["OMP_NUM_THREADS"] == "1"
    assert "one process makes it alone" in capsys.readouterr().err

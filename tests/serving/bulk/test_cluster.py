"""Bulk on Ray Data, in an environment of its own: the parts of `local`, each row once, on one node or two."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from benchmarks.environments import free_port, python_environment
from finsent import REPOSITORY
from serving.bulk.__main__ import app
from tests.serving.bulk.test_bulk import read_output
from tests.serving.servers import ENVIRONMENT

REQUIREMENTS = REPOSITORY / "serving" / "requirements-ray.txt"
NUMBER, PART_ROWS = 20_000, 500


def test_without_ray_it_is_one_line(
    tiny_release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    (tmp_path / "a.txt").write_text("profit\n", encoding="utf-8")
    arguments = [str(tiny_release), str(tmp_path / "a.txt"), str(tmp_path / "out"), "--engine", "ray"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1 and done.stderr.count("\n") == 1
    assert "pip install -r serving/requirements-ray.txt" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def ray_python() -> Path:
    return python_environment(REQUIREMENTS)


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files, so that two tasks read, and a row that cannot be read."""
    folder = tmp_path_factory.mktemp("news")
    texts = [f"profit of bank {row} rose" + " very" * (row % 9) for row in range(NUMBER)]
    lines = [json.dumps({"text": text}) for text in texts]
    (folder / "a.jsonl.gz").write_bytes(gzip.compress("\n".join(lines[: NUMBER // 2]).encode()))
    (folder / "b.jsonl").write_text("\n".join(["{broken", *lines[NUMBER // 2 :]]), encoding="utf-8")
    return folder


def _command(python: Path, *arguments: object) -> list[str]:
    words = [str(python), "-m", "serving.bulk", *map(str, arguments)]
    return [*words, "--part-rows", str(PART_ROWS), "--engine", "ray", "--resume"]


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=REPOSITORY, env=ENVIRONMENT, capture_output=True, text=True, timeout=200, check=False
    )


def _kill_after(command: list[str], output: Path, parts: int) -> None:
    """Kill a run once there are so many parts."""
    process = subprocess.Popen(command, cwd=REPOSITORY, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    while process.poll() is None and len(list(output.glob("part-*"))) < parts:
        time.sleep(0.005)
    started = psutil.Process(process.pid).children(recursive=True)
    assert process.poll() is None, "it ended before it could be killed"
    process.kill()
    assert process.wait() == -signal.SIGKILL
    _end(started)


def _end(processes: list[psutil.Process]) -> None:
    """Wait for what Ray has started to end by itself, as it does without its parent, and end the rest."""
    for one in psutil.wait_procs(processes, timeout=10)[1]:
        one.kill()


@contextmanager
def _machine(python: Path, *options: str) -> Iterator[None]:
    """A machine of a cluster, with one core, in processes of this one."""
    command = [str(python.with_name("ray")), "start", "--block", "--num-cpus=1", "--disable-usage-stats"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([*command, *options], stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        started = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        process.wait(60)
        _end(started)


@contextmanager
def _cluster(python: Path) -> Iterator[str]:
    address = f"127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        port = address.partition(":")[2]
        stack.enter_context(_machine(python, "--head", "--port", port, "--include-dashboard=false"))
        _wait_for_nodes(python, address, 1)
        stack.enter_context(_machine(python, "--address", address))
        _wait_for_nodes(python, address, 2)
        yield address


def _wait_for_nodes(python: Path, address: str, number: int) -> None:
    code = (
        "import sys, ray; ray.init(sys.argv[1], logging_level='error')\n"
        "print(sum(node['Alive'] for node in ray.nodes()))"
    )
    until = time.monotonic() + 90
    while True:
        done = subprocess.run([str(python), "-c", code, address], capture_output=True, text=True, check=False)
        if done.stdout.strip() == str(number):
            return
        assert time.monotonic() < until, done.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)  # with the installation
def test_each_row_once_after_two_kills_and_answers_as_local(
    tiny_release: Path, tmp_path: Path, ray_python: Path, news: Path
) -> None:
    out, beside = tmp_path / "out", tmp_path / "local"
    command = _command(ray_python, tiny_release, news, out, "--threads", 2)
    whole = NUMBER // PART_ROWS
    for share in (0.3, 0.7):
        _kill_after(command, out, round(whole * share))
    done = {part: part.stat().st_mtime_ns for part in out.glob("part-*")}
    with _cluster(ray_python) as address:
        ended = _run([*command, "--address", address])
        assert ended.returncode == 0, ended.stderr
        broken = tmp_path / "broken.txt.gz"
        broken.write_bytes(gzip.compress(os.urandom(99_999))[:-20])
        refused = _run([*_command(ray_python, tiny_release, broken, tmp_path / "none"), "--address", address])
    assert refused.returncode == 1 and "Traceback" not in refused.stderr, refused.stderr
    assert "broken.txt.gz: cannot be read" in refused.stderr.splitlines()[-1]
    assert {part: part.stat().st_mtime_ns for part in done} == done  # what was there was not made again
    local = [str(one) for one in (tiny_release, news, "--part-rows", PART_ROWS, "--resume")]
    assert CliRunner().invoke(app, [*local, str(beside)]).exit_code == 0
    rows = read_output(out)
    assert len({row["id"] for row in rows}) == len(rows) == NUMBER + 1
    assert rows == read_output(beside)
    for part in list(done)[3:7]:
        part.unlink()
    assert CliRunner().invoke(app, [*local, str(out)]).exit_code == 0
    assert read_output(out) == rows  # one engine has gone on with the other's parts
    other = _run(_command(ray_python, tiny_release, news / "b.jsonl", out))
    assert other.returncode == 1 and "another inputs" in other.stderr, other.stderr

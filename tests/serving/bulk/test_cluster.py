"""Bulk on Ray Data, in an environment of its own: the parts of `local`, each row once, on one node or two."""

from __future__ import annotations

import gzip
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from benchmarks.environments import free_port, python_environment
from finsent import REPOSITORY
from serving.bulk.__main__ import app
from tests.serving.bulk.test_bulk import read_output
from tests.serving.bulk.test_document import RAY_HERE
from tests.serving.servers import ENVIRONMENT

REQUIREMENTS = REPOSITORY / "serving" / "requirements-ray.txt"
NUMBER, PART_ROWS = 20_000, 500
NICE = {"RAY_worker_niceness": "0"}  # else Ray's workers give way to all else, and starve on a busy machine

slow = [pytest.mark.slow, pytest.mark.timeout(1800)]  # with the installation


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


@dataclass(frozen=True)
class Ray:
    """A Python with Ray, the environment of its processes, and the address of a cluster, if there is one."""

    python: Path
    environment: dict[str, str]
    address: str | None = None

    def command(self, *arguments: object) -> list[str]:
        words = [str(self.python), "-m", "serving.bulk", *map(str, arguments), "--engine", "ray", "--resume"]
        return [*words, "--part-rows", str(PART_ROWS), *(["--address", self.address] if self.address else [])]

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), cwd=REPOSITORY, env=self.environment,
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip

    def kill_after(self, parts: int, output: Path, *arguments: object) -> None:
        """Kill a run once there are so many parts."""
        command = self.command(*arguments, output)
        process = subprocess.Popen(command, cwd=REPOSITORY, env=self.environment, stderr=subprocess.DEVNULL)
        while process.poll() is None and len(list(output.glob("part-*"))) < parts:
            time.sleep(0.005)
        assert process.poll() is None, "it ended before it could be killed"
        process.kill()
        assert process.wait() == -signal.SIGKILL


@pytest.fixture(scope="module")
def ray_here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ray]:
    """Without a cluster, and with a home folder of its own."""
    python = python_environment(REQUIREMENTS)
    folder = tempfile.mkdtemp(prefix="ray-")  # short: the paths of its sockets have at most 107 bytes
    home = str(tmp_path_factory.mktemp("home"))
    yield Ray(python, {**ENVIRONMENT, **NICE, "RAY_TMPDIR": folder, "HOME": home})
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def cluster(ray_here: Ray) -> Iterator[Ray]:
    """Two machines of one core, which answer nobody without their token."""
    port = free_port()
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    found = Ray(ray_here.python, {**ray_here.environment, **token}, f"127.0.0.1:{port}")
    with ExitStack() as stack:
        stack.enter_context(_machine(found, "--head", "--port", str(port), "--include-dashboard=false"))
        _wait_for_port(port)
        stack.enter_context(_machine(found, "--address", f"127.0.0.1:{port}"))
        _wait_for_nodes(found, 2)
        yield found


@contextmanager
def _machine(ray: Ray, *options: str) -> Iterator[None]:
    start = [str(ray.python.with_name("ray")), "start", "--block", "--num-cpus=1", "--disable-usage-stats"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([*start, *options], env=ray.environment, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        started = psutil.Process(process.pid).children(recursive=True)
        process.kill()  # SIGTERM would wait half a minute for jobs
        process.wait(60)
        for one in started:
            one.kill()
        psutil.wait_procs(started, timeout=60)


def _wait_for_port(port: int) -> None:
    until = time.monotonic() + 300
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except OSError:
            assert time.monotonic() < until, "the head of the cluster did not start"
            time.sleep(0.1)


def _wait_for_nodes(ray: Ray, number: int) -> None:
    code = (
        "import sys, time, ray\nray.init(sys.argv[1], logging_level='error')\n"
        "while sum(node['Alive'] for node in ray.nodes()) < int(sys.argv[2]): time.sleep(0.2)"
    )
    command = [str(ray.python), "-c", code, str(ray.address), str(number)]
    subprocess.run(command, env=ray.environment, check=True, timeout=300)


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files, so that two tasks read, and a row that cannot be read."""
    folder = tmp_path_factory.mktemp("news")
    texts = [f"profit of bank {row} rose" + " very" * (row % 9) for row in range(NUMBER)]
    lines = [json.dumps({"text": text}) for text in texts]
    (folder / "a.jsonl.gz").write_bytes(gzip.compress("\n".join(lines[: NUMBER // 2]).encode()))
    (folder / "b.jsonl").write_text("\n".join(["{broken", *lines[NUMBER // 2 :]]), encoding="utf-8")
    return folder


def _run_local(release: Path, news: Path, output: Path) -> list[dict[str, object]]:
    """Return all rows of a run with the other engine, that goes on where there is something."""
    arguments = [release, news, output, "--part-rows", PART_ROWS, "--resume"]
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exit_code == 0, done.output
    return read_output(output)


class TestCluster:
    pytestmark = slow

    def test_each_row_once_after_two_kills_and_answers_as_local(
        self, tiny_release: Path, tmp_path: Path, cluster: Ray, news: Path
    ) -> None:
        out = tmp_path / "out"
        for share in (0.3, 0.7):
            cluster.kill_after(round(NUMBER / PART_ROWS * share), out, tiny_release, news)
        done = {part: part.stat().st_mtime_ns for part in out.glob("part-*")}
        ended = cluster.run(tiny_release, news, out)
        assert ended.returncode == 0, ended.stderr
        assert {part: part.stat().st_mtime_ns for part in done} == done  # what was there was not made again
        rows = read_output(out)
        assert len({row["id"] for row in rows}) == len(rows) == NUMBER + 1
        assert rows == _run_local(tiny_release, news, tmp_path / "local")
        for part in list(done)[3:7]:
            part.unlink()
        assert _run_local(tiny_release, news, out) == rows  # one engine goes on with the other's parts

    def test_an_input_that_cannot_be_read_is_one_line(
        self, tiny_release: Path, tmp_path: Path, cluster: Ray
    ) -> None:
        broken = tmp_path / "broken.txt.gz"
        broken.write_bytes(gzip.compress(os.urandom(99_999))[:-20])
        refused = cluster.run(tiny_release, broken, tmp_path / "none")
        assert refused.returncode == 1, refused.stderr
        [told] = [line for line in refused.stderr.splitlines() if not line.startswith("[")]  # Ray's own log
        assert told.startswith(f"serving.bulk: {broken}: cannot be read (")

    def test_a_cluster_that_wants_its_token_says_so(
        self, tiny_release: Path, tmp_path: Path, cluster: Ray, ray_here: Ray, news: Path
    ) -> None:
        once = {"RAY_NUM_REDIS_GET_RETRIES": "1"}  # of twenty, a second each
        stranger = Ray(cluster.python, {**ray_here.environment, **once}, cluster.address)
        refused = stranger.run(tiny_release, news, tmp_path / "out")
        assert refused.returncode == 1
        assert refused.stderr.splitlines()[-1] == (
            f"serving.bulk: {cluster.address}: the cluster wants its token; set RAY_AUTH_MODE=token and "
            "RAY_AUTH_TOKEN"
        )


class TestHere:
    pytestmark = slow

    def test_the_command_of_the_document_leaves_nothing_in_the_home_folder(
        self, tiny_release: Path, tmp_path: Path, ray_here: Ray
    ) -> None:
        """A token that Ray left there would be asked for by every cluster that is started later."""
        (tmp_path / "runs" / "quickstart").mkdir(parents=True)
        (tmp_path / "runs" / "quickstart" / "release").symlink_to(tiny_release)
        (tmp_path / "news").mkdir()
        (tmp_path / "news" / "a.txt").write_text("profit\nloss\n" * PART_ROWS, encoding="utf-8")
        done = subprocess.run(
            [str(ray_here.python), "-m", "serving.bulk", *RAY_HERE], cwd=tmp_path, env=ray_here.environment,
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert len(read_output(tmp_path / "answers")) == 2 * PART_ROWS
        assert not Path(ray_here.environment["HOME"], ".ray").exists()

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from finsent import REPOSITORY
from publishing.space.forms import DemoFiles
from publishing.space.preview import describe_release, page_roots, serving

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


@pytest.fixture
def run(tiny_release: Path) -> Path:
    return tiny_release.parent


@contextmanager
def preview(run: Path, temporary: Path, *options: str) -> Iterator[str]:
    """Start the command as a person does, yield the address that it prints, end it with Ctrl-C."""
    temporary.mkdir()
    command = [sys.executable, "-m", "publishing.space.preview", str(run), *options]
    with (temporary.parent / "log").open("w+") as log:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}, preexec_fn=_heed_ctrl_c,
        )  # fmt: skip
        try:
            yield _wait(process, Path(log.name))
        finally:
            os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it, to the app too
            process.wait(30)


def _heed_ctrl_c() -> None:
    """A script that runs these tests in the background starts them deaf to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _wait(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        said = log.read_text(encoding="utf-8")
        assert process.poll() is None, said
        if found := ADDRESS.search(said):
            return found[0]
        time.sleep(0.1)
    raise AssertionError("the preview said no address within two minutes")


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return bytes(answer.read())


def test_the_page_is_shown_with_the_release_beside_it(run: Path, tmp_path: Path) -> None:
    subject = describe_release(run / "release")
    with preview(run, tmp_path / "tmp", "--form", "static") as address:
        for name in DemoFiles().paths("static"):
            assert fetch(f"{address}/{name}")
        html = fetch(f"{address}/").decode()
        settings = json.loads(html.partition('id="settings">')[2].partition("</script>")[0])
        assert (settings["host"], settings["model"]) == ("./hub", subject.model)
        metrics = fetch(f"{address}/hub/{subject.model}/resolve/main/metrics.json")
        assert metrics == (run / "release" / "metrics.json").read_bytes()
    assert not list((tmp_path / "tmp").iterdir())


def test_the_app_is_shown_from_a_folder_that_goes_with_it(run: Path, tmp_path: Path) -> None:
    with preview(run, tmp_path / "tmp") as address:
        assert describe_release(run / "release").title in fetch(f"{address}/config").decode()
    assert not list((tmp_path / "tmp").iterdir())


def test_a_run_without_a_release_is_wrong_usage(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "publishing.space.preview", str(tmp_path)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2 and "build it with" in done.stderr


def test_nothing_beside_the_folders_is_served(run: Path, tmp_path: Path) -> None:
    (tmp_path / "form").mkdir()
    (tmp_path / "form" / "index.html").write_text("<p>page</p>", encoding="utf-8")
    (tmp_path / "form" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "secret").write_text("not for visitors", encoding="utf-8")
    subject = describe_release(run / "release")
    with serving(page_roots(tmp_path / "form", run / "release", subject)) as (address, asked):
        assert fetch(f"{address}/") == b"<p>page</p>"
        hostile = ("../secret", "%2e%2e/secret", "link", "//etc/hostname", "a%00b", "x" * 5_000)
        for path in (*hostile, "hub/", "transformers/x.js"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                fetch(f"{address}/{path}")
    assert "/link" in asked

"""Item 11: nothing of a stranger's runs unasked, and what is asked for gets neither token nor variables."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from finsent.processes import run_alone
from local_hub import RunningHub
from model_card.snippets.rendered import rendered_blocks
from model_card.snippets.run import run_snippets
from publishing.hub.connection import Timeouts, connect
from publishing.hub.remote import Reader, Target
from publishing.proof.handler import check_handler
from publishing.proof.prover import Prover
from publishing.proof.verify import verify_published
from tests.finsent.test_processes import is_running
from tests.local_hub.accounts import WRITE
from tests.publishing.conftest import QUICK, _client  # noqa: F401  (the process's client is put back)

CLOUD = "a-cloud-key"


@pytest.fixture
def stranger(tiny_release: Path, tmp_path: Path) -> Path:
    """A release whose card and files would like to leave a trace in `tmp_path/owned`."""
    folder = tmp_path / "stranger" / "release"
    shutil.copytree(tiny_release, folder)
    owned = tmp_path / "owned"
    owned.mkdir()
    python = (
        "import json, os, pathlib\nfrom huggingface_hub import get_token\n"
        f"told = dict(os.environ, LOGIN=str(get_token()))\n"
        f"pathlib.Path({str(owned / 'python')!r}).write_text(json.dumps(told))\nprint('x')"
    )
    shell = (
        f"sha256sum README.md; env > {owned}/shell; (sleep 600 & echo $! > {owned}/pid) > {owned}/out 2>&1"
    )
    card = f"---\nlicense: mit\n---\n\n# x\n\n```python\n{python}\n```\n\n```bash\n{shell}\n```\n"
    (folder / "README.md").write_text(card, encoding="utf-8")
    for name in ("pipeline.py", "modeling.py", "sitecustomize.py", "inference/explain.py"):
        (folder / name).write_text(f"open({str(owned / name)!r}, 'w')\n", encoding="utf-8")
    trace = f"import os\nopen({str(owned / 'handler')!r}, 'w').write(repr(dict(os.environ)))\n"
    with (folder / "handler.py").open("a", encoding="utf-8") as file:
        file.write(trace)
    return folder


def traces(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "owned").iterdir())


@pytest.mark.timeout(900)  # it loads the model in a process of its own
def test_verify_runs_nothing_of_a_stranger(
    hub: RunningHub, api: HfApi, stranger: Path, tmp_path: Path
) -> None:
    api.create_repo("ann/stranger")
    api.upload_folder(repo_id="ann/stranger", folder_path=stranger)
    reader = Reader(connect(hub.endpoint, WRITE, Timeouts(5, 30)), QUICK)
    checks = {one.name: one for one in verify_published(Target("ann/stranger"), reader, "full")}
    assert traces(tmp_path) == []
    assert {name: one.state for name, one in checks.items()} == {
        "files": "ok", "measured": "ok", "load": "ok", "card": "not run", "handler": "not run",
    }, checks  # fmt: skip
    assert "--run-snippets" in checks["card"].detail and "--run-snippets" in checks["handler"].detail


def test_run_snippets_gives_neither_token_nor_variables_and_ends_what_was_started(
    hub: RunningHub, api: HfApi, stranger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.create_repo("ann/asked")
    api.upload_folder(repo_id="ann/asked", folder_path=stranger)
    monkeypatch.setenv("HF_TOKEN", WRITE)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CLOUD)
    reader = Reader(connect(hub.endpoint, WRITE, Timeouts(5, 30)), QUICK)
    checks = {one.name: one for one in verify_published(Target("ann/asked"), reader, "files", True)}
    assert checks["card"].state == "ok", checks["card"].detail
    assert checks["handler"].state == "ok", checks["handler"].detail
    told = json.loads((tmp_path / "owned" / "python").read_text(encoding="utf-8"))
    assert told["LOGIN"] == "None" and told["HOME"] != os.environ["HOME"]
    assert told["HF_HUB_OFFLINE"] == "1" and not Path(told["HOME"]).exists()
    for name in ("python", "shell", "handler"):
        text = (tmp_path / "owned" / name).read_text(encoding="utf-8")
        assert WRITE not in text and CLOUD not in text and hub.endpoint not in text
    started = int((tmp_path / "owned" / "pid").read_text(encoding="utf-8"))
    assert not is_running(started)


def test_what_runs_a_stranger_s_blocks_has_an_environment_made_from_nothing_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Sequence[str], dict[str, str]]] = []

    def noted(
        command: Sequence[str], folder: Path, environment: dict[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        seen.append((command, environment))
        return subprocess.CompletedProcess(command, 0, "[]", "")

    monkeypatch.setattr("publishing.proof.prover.run_alone", noted)
    monkeypatch.setenv("HF_TOKEN", WRITE)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CLOUD)
    (home := tmp_path / "home").mkdir()
    reader = Reader(connect("http://127.0.0.1:9", WRITE, Timeouts(5, 30)), QUICK)
    assert Prover(reader, Target("ann/x"), "0" * 40, home).check_foreign_card(tmp_path).state == "ok"
    [(command, environment)] = seen
    assert command[-2:] == [str(home / "run"), "all"]  # and no address of a Hub
    assert not {"HF_TOKEN", "HF_ENDPOINT", "AWS_SECRET_ACCESS_KEY"} & set(environment)
    assert (environment["HOME"], environment["TMPDIR"], environment["HF_HUB_OFFLINE"]) == (
        str(home),
        str(home),
        "1",
    )


def test_blocks_that_finsent_did_not_render_get_nothing_whatever_their_runner_has(
    stranger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", WRITE)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CLOUD)
    card = stranger / "README.md"
    asks = "# InferenceClient\n"  # makes it a block that needs a Hub
    card.write_text(card.read_text(encoding="utf-8").replace("import json,", f"{asks}import json,"), "utf-8")
    hub = "http://127.0.0.1:9"
    assert [one.state for one in run_snippets(stranger.parent, every=True, token=WRITE, endpoint=hub)] == [
        "ok"
    ] * 2
    told = json.loads((tmp_path / "owned" / "python").read_text(encoding="utf-8"))
    assert told["LOGIN"] == "None" and told["HOME"] != os.environ["HOME"]
    for name in ("python", "shell"):
        text = (tmp_path / "owned" / name).read_text(encoding="utf-8")
        assert WRITE not in text and CLOUD not in text


def test_a_downloaded_folder_runs_only_what_finsent_renders(
    tiny_release: Path, stranger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, str]] = []

    def watched(
        command: Sequence[str], folder: Path, environment: dict[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        given.append(environment)
        return run_alone(command, folder, environment, timeout)

    monkeypatch.setattr("model_card.snippets.run.run_alone", watched)
    rendered = [code for language, code in rendered_blocks(tiny_release) if "sha256sum" in code]
    card = stranger / "README.md"
    region = f"<!-- finsent:begin checksums -->\n```bash\n{rendered[0]}```\n<!-- finsent:end checksums -->\n"
    card.write_text(card.read_text(encoding="utf-8") + "\n" + region, encoding="utf-8")
    results = list(run_snippets(stranger.parent, token=WRITE))
    assert [one.state for one in results] == ["not run", "not run", "ok"]
    assert given and not any("HF_TOKEN" in one for one in given)  # the block asks no Hub
    assert traces(tmp_path) == []


def test_after_our_push_an_edited_card_runs_only_what_we_rendered(
    hub: RunningHub, tiny_release: Path, stranger: Path, tmp_path: Path
) -> None:
    [code] = [code for _, code in rendered_blocks(tiny_release) if "sha256sum" in code]
    edited = code.replace("END\n", "END\nenv\n", 1)
    card = stranger / "README.md"
    theirs = card.read_text(encoding="utf-8")
    card.write_text(f"{theirs}\n```bash\n{code}```\n\n```bash\n{edited}```\n", encoding="utf-8")
    reader = Reader(connect(hub.endpoint, WRITE, Timeouts(5, 30)), QUICK)
    (home := tmp_path / "home").mkdir()
    check = Prover(reader, Target("ann/nowhere"), "0" * 40, home).check_card(stranger)
    assert check.state == "ok" and check.detail.startswith("1 code blocks ran, not: "), check.detail
    assert traces(tmp_path) == []


def test_after_our_push_of_what_was_downloaded_its_handler_is_not_run(stranger: Path, tmp_path: Path) -> None:
    (home := tmp_path / "home").mkdir()
    check = check_handler(stranger, home)
    assert (check.state, check.detail.partition(":")[0]) == ("not run", "handler.py")
    assert traces(tmp_path) == []

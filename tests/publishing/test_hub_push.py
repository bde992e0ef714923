"""The commands of hub_push.py, in processes of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from benchmarks.environments import node_environment
from finsent import REPOSITORY
from finsent.errors import FinsentError
from local_hub import RunningHub
from publishing.errors import PublishError
from publishing.hub.remote import Reader, Target
from publishing.receipt import read_receipt
from tests.publishing.conftest import WRITE, Publisher, order


def hub_push_py(
    server: RunningHub, *arguments: str, token: str = WRITE, **variables: str
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HF_TOKEN": token, "HF_ENDPOINT": server.endpoint, **variables}
    return subprocess.run(
        [sys.executable, "hub_push.py", *arguments],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip


def test_the_whole_command_publishes_proves_and_is_quick_the_second_time(
    server: RunningHub, run: Path, repo_id: str
) -> None:
    arguments = (str(run), "--repo-id", repo_id, "--yes", "--space", "none")
    modules = node_environment(REPOSITORY / "tests" / "runtimes" / "package.json") / "node_modules"
    done = hub_push_py(server, *arguments, NODE_PATH=str(modules))
    assert done.returncode == 0, done.stderr
    for check in ("files: ok", "load: ok", "card: ok"):
        assert f"Check: {check}" in done.stderr
    assert "transformers: set NODE_PATH" not in done.stderr  # so the JavaScript block ran, too
    again = hub_push_py(server, *arguments, "--json")
    assert again.returncode == 0 and "nothing to do" in again.stderr, again.stderr
    assert "proof" not in again.stderr.replace("proved", "")  # loading models is what takes time
    assert json.loads(again.stdout)["receipt"] is None
    kept = "".join(path.read_text(encoding="utf-8") for path in (run / "receipts").iterdir())
    for text in (done.stdout, done.stderr, again.stdout, again.stderr, kept):
        assert WRITE not in text


def test_a_plan_waits_for_no_library_that_loads_models(server: RunningHub, run: Path, repo_id: str) -> None:
    slow = "'torch', 'transformers', 'datasets', 'onnxruntime', 'sklearn', 'matplotlib', 'gradio', 'fastapi'"
    code = (
        "import sys, hub_push\ntry: hub_push.app()\n"
        f"finally: print([name for name in ({slow}) if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(run), "--repo-id", repo_id, "--dry-run"]
    environment = {**os.environ, "HF_TOKEN": WRITE}
    command += ["--endpoint", server.endpoint]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "add    model.safetensors" in done.stderr, done.stderr
    assert done.stdout == "[]\n"


def test_a_machine_must_say_yes(server: RunningHub, run: Path, repo_id: str) -> None:
    done = hub_push_py(server, str(run), "--repo-id", repo_id, "--space", "none")
    assert done.returncode == 1 and "add --yes" in done.stderr and "Traceback" not in done.stderr


def test_a_dry_run_is_a_plan_for_machines(server: RunningHub, run: Path, repo_id: str) -> None:
    done = hub_push_py(server, str(run), "--repo-id", repo_id, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["receipt"] is None and told["plan"]["tag"] == "v0.1.0" and told["plan"]["parent"] is None
    sent = {file["path"] for file in told["space_plan"]["files"]}
    assert {"README.md", "app.py", "inference/classifier.py"} <= sent
    assert all(len(line) < 500 and "\x1b" not in line for line in done.stderr.splitlines())


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_who_interrupts_is_told_where_to_look_and_no_process_shows_the_token(
    server: RunningHub, run: Path, repo_id: str, faults: str, sent: signal.Signals
) -> None:
    order(faults, method="POST", path=f"/{repo_id}/commit/", delay=5)
    command = [sys.executable, "hub_push.py", str(run), "--repo-id", repo_id, "--yes", "--space", "none"]
    environment = {**os.environ, "HF_TOKEN": WRITE, "HF_ENDPOINT": server.endpoint}
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a test in the background has it ignored
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=heard
    ) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("commit: "):
                time.sleep(1.5)  # it waits for the Hub's answer now
                shown = (path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
                assert not any(WRITE.encode() in arguments for arguments in shown)
                process.send_signal(sent)
    receipt = read_receipt(next((run / "receipts").glob("*.json")))
    assert receipt.commit is None
    assert not receipt.commit_is_certain  # the Hub is still at it
    if sent == signal.SIGKILL:
        assert receipt.message == "interrupted while committing"
        return
    assert process.returncode == 1 and "Traceback" not in "".join(lines)
    assert re.search(r"interrupted; \S+/receipts/\S+\.json says what is on the Hub\n$", lines[-1])
    assert (receipt.state, receipt.message) == ("interrupted", "KeyboardInterrupt")


def test_local_brings_its_own_hub_and_finds_it_again(run: Path, tmp_path: Path) -> None:
    script = str(REPOSITORY / "hub_push.py")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}

    def local(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, script, *arguments, "--local"]
        return subprocess.run(
            command, cwd=tmp_path, env=kept, capture_output=True, text=True, check=False, timeout=120
        )

    options = ("--yes", "--space", "none", "--proof", "files")
    done = local(str(run), *options)
    assert done.returncode == 0 and "State: published" in done.stderr, done.stderr
    assert done.stderr.splitlines()[-5:] == [
        f"Release:  {run / 'release'}",
        "Page:     http://127.0.0.1:8090/finsent/tiny (run: make hub)",
        "Demo:     none",
        f"Receipts: {run / 'receipts'}",
        f"Undo:     python hub_push.py rollback {run} --local",
    ]
    again = local(str(run), *options)
    assert again.returncode == 0 and "nothing to change" in again.stderr, again.stderr
    assert len(list((run / "receipts").iterdir())) == 1
    proved = local("verify", "finsent/tiny", "--proof", "files")
    assert proved.returncode == 0 and "measured: ok" in proved.stdout, proved.stderr
    token = (tmp_path / "runs" / "hub" / "token").read_text(encoding="utf-8").strip()
    assert token not in done.stdout + done.stderr + again.stderr + proved.stdout + proved.stderr


def test_a_data_set_goes_the_same_road(reader: Reader, server: RunningHub, tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    (folder / "train.csv").write_text("text,label\nProfit rose,positive\nLoss,negative\n", encoding="utf-8")
    (folder / "check.py").write_text("print()\n", encoding="utf-8")
    configs = "configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: train.csv\n"
    (folder / "README.md").write_text(f"---\nlicense: cc-by-4.0\n{configs}---\n\n# rows\n", encoding="utf-8")
    done = hub_push_py(server, str(folder), "--repo-id", "ann/rows", "--repo-type", "dataset", "--yes")
    assert done.returncode == 0, done.stderr
    assert "Check: rows: ok, train 2" in done.stderr
    assert set(reader.read(Target("ann/rows", "dataset")).files) == {
        ".gitattributes",
        "README.md",
        "train.csv",
    }


def test_the_rollback_command(publisher: Publisher, server: RunningHub) -> None:
    publisher.publish()
    before = publisher.reader.read(publisher.target).files
    publisher.change("A sentence to regret.")
    publisher.publish(tag=False)
    asked = hub_push_py(server, "rollback", str(publisher.run))
    assert asked.returncode == 1 and "add --yes" in asked.stderr
    done = hub_push_py(server, "rollback", str(publisher.run), "--yes")
    assert done.returncode == 0 and "State: rolled back" in done.stderr, done.stderr
    assert publisher.reader.read(publisher.target).files == before


def test_errors_are_of_one_family() -> None:
    assert issubclass(PublishError, FinsentError)

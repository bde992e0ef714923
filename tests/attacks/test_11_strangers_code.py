"""Item 11: nothing of a stranger's runs unasked, and what is asked for gets neither token nor variables."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import onnx
import psutil
import pytest
from huggingface_hub import HfApi

from finsent.errors import ReleaseError
from finsent.processes import run_alone
from local_hub import RunningHub
from model_card.measure.metrics import read_metrics
from model_card.snippets.rendered import rendered_blocks
from model_card.snippets.run import run_snippets
from publishing.errors import PublishError
from publishing.hub.connection import Timeouts, connect
from publishing.hub.remote import Reader, Target
from publishing.proof.harmless import copy_harmless, refuse_code
from publishing.proof.prover import Prover
from publishing.proof.verify import verify_published
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
    for name in ("handler.py", "pipeline.py", "modeling.py", "sitecustomize.py"):
        (folder / name).write_text(f"open({str(owned / name)!r}, 'w')\n", encoding="utf-8")
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
        "files": "ok", "measured": "ok", "load": "ok", "card": "not run",
    }, checks  # fmt: skip
    assert "--run-snippets" in checks["card"].detail


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
    told = json.loads((tmp_path / "owned" / "python").read_text(encoding="utf-8"))
    assert told["LOGIN"] == "None" and told["HOME"] != os.environ["HOME"]
    assert told["HF_HUB_OFFLINE"] == "1" and not Path(told["HOME"]).exists()
    for name in ("python", "shell"):
        text = (tmp_path / "owned" / name).read_text(encoding="utf-8")
        assert WRITE not in text and CLOUD not in text and hub.endpoint not in text
    started = int((tmp_path / "owned" / "pid").read_text(encoding="utf-8"))
    assert not is_running(started)


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_downloaded_folder_runs_only_what_finsent_renders(
    tiny_release: Path, stranger: Path, tmp_path: Path
) -> None:
    rendered = [code for language, code in rendered_blocks(tiny_release) if "sha256sum" in code]
    card = stranger / "README.md"
    region = f"<!-- finsent:begin checksums -->\n```bash\n{rendered[0]}```\n<!-- finsent:end checksums -->\n"
    card.write_text(card.read_text(encoding="utf-8") + "\n" + region, encoding="utf-8")
    results = list(run_snippets(stranger.parent, token=WRITE))
    assert [one.state for one in results] == ["not run", "not run", "ok"]
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


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
@pytest.mark.parametrize("key", ["auto_map", "custom_pipelines"])
def test_settings_that_name_code_are_refused(stranger: Path, name: str, key: str) -> None:
    path = stranger / name
    tree = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(tree | {key: {"AutoModel": "modeling.X"}}), encoding="utf-8")
    with pytest.raises(PublishError, match=rf"{name}: names code of its own \({key}\)"):
        refuse_code(stranger, [])


@pytest.mark.parametrize("location", ["../../../etc/passwd", "/etc/passwd", "other.bin"])
@pytest.mark.parametrize("nested", [False, True])
def test_an_onnx_file_that_reads_another_is_refused(tmp_path: Path, location: str, nested: bool) -> None:
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[1], data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    graph = onnx.GraphProto(name="g", initializer=[tensor])
    if nested:
        inner = onnx.AttributeProto(name="then_branch", type=onnx.AttributeProto.GRAPH, g=graph)
        graph = onnx.GraphProto(name="outer", node=[onnx.NodeProto(op_type="If", attribute=[inner])])
    (tmp_path / "x.onnx").write_bytes(onnx.ModelProto(ir_version=8, graph=graph).SerializeToString())
    for name in ("config.json", "tokenizer_config.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    with pytest.raises(PublishError, match=r"x\.onnx: reads its weights from another file"):
        refuse_code(tmp_path, ["x.onnx"])


def test_no_pickle_and_no_script_is_within_reach(stranger: Path, tmp_path: Path) -> None:
    (stranger / "pytorch_model.bin").write_bytes(b"cposix\nsystem\n(S'id'\ntR.")
    (stranger / "adapter_config.json").write_text('{"base_model_name_or_path": "a/b"}', encoding="utf-8")
    folder = copy_harmless(stranger, ["onnx/model.onnx"], tmp_path / "model")
    assert {path.name for path in folder.rglob("*") if path.is_file()} <= {
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
        "special_tokens_map.json", "model.onnx",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value"),
    [("file", "../../../etc/passwd"), ("file", "/dev/zero"), ("sha256", "00\nEND\nid > owned\n")],
)
def test_figures_lead_nowhere_and_write_no_command(stranger: Path, key: str, value: str) -> None:
    path = stranger / "metrics.json"
    tree = json.loads(path.read_text(encoding="utf-8"))
    tree["variants"][0][key] = value
    path.write_text(json.dumps(tree), encoding="utf-8")
    with pytest.raises(ReleaseError, match=rf"variants\.0\.{key}"):
        read_metrics(path)


def test_what_a_command_leaves_running_ends_with_it(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_alone(["bash", "-c", "sleep 600 & echo $! > pid; wait"], tmp_path, dict(os.environ), 1)
    pid = int((tmp_path / "pid").read_text(encoding="utf-8"))
    deadline = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)

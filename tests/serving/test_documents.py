"""The commands that are written about serving are run, and its requirements are those of the project."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from finsent import REPOSITORY
from serving.health import PORT
from serving.server import FINISH_SECONDS
from tests.serving.documents import (
    CONTAINER,
    DOCUMENT,
    README,
    UNTRIED,
    container_blocks,
    fenced,
    sections,
)
from tests.serving.servers import ENVIRONMENT, started

ADDRESS = "http://127.0.0.1:8000"
SERVER = "python -m serving runs/quickstart"


def _run_blocks(text: str, folder: Path, address: str) -> int:
    """Run the blocks of bash and Python in their order; return how many there were."""
    blocks = re.findall(r"(?s)```(bash|python)\n(.*?)```", text)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**ENVIRONMENT, "PATH": path, "no_proxy": "*"}
    for language, code in blocks:
        script = code.replace(ADDRESS, address)
        kept = [line for line in script.splitlines() if line.partition("  #")[0].rstrip() != SERVER]
        command = ["bash", "-euc"] if language == "bash" else [sys.executable, "-c"]
        done = subprocess.run(
            [*command, "\n".join(kept)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, (code, done.stdout, done.stderr)
        assert '"error"' not in done.stdout, (code, done.stdout)
    return len(blocks)


def test_the_commands_of_the_documents_run(tiny_release: Path, tmp_path: Path) -> None:
    (tmp_path / "runs" / "quickstart").mkdir(parents=True)
    (tmp_path / "runs" / "quickstart" / "release").symlink_to(tiny_release)
    (tmp_path / "news.jsonl.gz").write_bytes(gzip.compress(b'{"title": "profit rose"}\n' * 3))
    page, readme = sections(DOCUMENT), sections(README)
    assert all(text.count(SERVER) == 1 for text in (page["REST"], readme["Serve it"]))
    with started(tmp_path / "runs" / "quickstart", "--workers", "1") as server:
        assert _run_blocks(page["REST"], tmp_path, server.address) == 3
        assert _run_blocks(page["Bulk"], tmp_path, server.address) == 1
        assert _run_blocks(readme["Serve it"], tmp_path, server.address) == 1
        assert _run_blocks(readme["Score millions of rows"], tmp_path, server.address) == 1
        assert _run_blocks(readme["Use it"], tmp_path, server.address) == 2


def test_a_command_is_run_by_a_test_or_said_to_be_untried() -> None:
    tried = {"REST", "Bulk", *CONTAINER}
    for name, text in sections(DOCUMENT).items():
        assert (name in tried) != (UNTRIED in name), name
        assert name in tried or "```" in text, f"{name}: has nothing that could be tried"
    assert container_blocks()[0].startswith("podman build")


def test_what_kubernetes_is_told_fits_the_image() -> None:
    (manifest,) = map(yaml.safe_load, fenced(DOCUMENT, "yaml"))
    pod = manifest["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert manifest["spec"]["selector"]["matchLabels"] == manifest["spec"]["template"]["metadata"]["labels"]
    assert container["ports"][0]["containerPort"] == container["readinessProbe"]["httpGet"]["port"] == PORT
    assert pod["terminationGracePeriodSeconds"] > FINISH_SECONDS + 2  # what the server takes after SIGTERM
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/tmp"}


def _pins(path: Path) -> dict[str, str]:
    found = re.findall(r"(?m)^([\w.-]+)==([\w.]+)", path.read_text(encoding="utf-8"))
    return {name.lower().replace("_", "-"): version for name, version in found}


def test_requirements_are_those_of_the_project_without_torch() -> None:
    ours, project = (_pins(REPOSITORY / name) for name in ("serving/requirements.txt", "requirements.txt"))
    assert {name: (pin, project.get(name)) for name, pin in ours.items() if project.get(name) != pin} == {}
    needed = {
        "fastapi",
        "uvicorn",
        "onnxruntime",
        "tokenizers",
        "numpy",
        "prometheus-client",
        "pyarrow",
        "typer",
    }
    assert needed <= set(ours)
    assert not {"torch", "transformers", "optimum", "datasets"} & set(ours)


def test_the_server_loads_neither_torch_nor_transformers() -> None:
    code = (
        "import sys, serving.__main__, serving.rest, serving.bulk.__main__\n"
        "print(sorted({'torch', 'transformers', 'finsent', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"

"""The commands that are written about serving are run, and its requirements are those of the project."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

from finsent import REPOSITORY
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
    document = (REPOSITORY / "docs" / "serving.md").read_text(encoding="utf-8")
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## Serve it\n")[2].partition("\n## ")[0]
    assert all(text.count(SERVER) == 1 for text in (document, section))
    with started(tmp_path / "runs" / "quickstart", "--workers", "1") as server:
        assert _run_blocks(document, tmp_path, server.address) == 4
        assert _run_blocks(section, tmp_path, server.address) == 1


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

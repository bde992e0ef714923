from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests
from huggingface_hub import CommitOperationAdd, HfApi

from benchmarks.environments import free_port
from tests.local_hub.accounts import WRITE

ROOT = Path(__file__).parents[2]
REPOSITORIES = ("ann/one", "ann/two", "ann/three")
UPLOADS = 50


class Process:
    """A served Hub that can be killed."""

    def __init__(self, root: Path, port: int) -> None:
        token = root.parent / "writer"
        token.write_text(WRITE, encoding="utf-8")
        command = [sys.executable, "-m", "local_hub", "serve", "--root", str(root), "--port", str(port)]
        self._process = subprocess.Popen([*command, "--token", f"ann:write:@{token}"], cwd=ROOT)
        self.endpoint = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                requests.get(f"{self.endpoint}/api/models", timeout=5)
                return
            except requests.ConnectionError:
                time.sleep(0.02)
        raise AssertionError("the Hub did not start")

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


def upload_until_killed(api: HfApi, seed: int, answered: dict[str, list[tuple[str, str, int]]]) -> None:
    """Commit random files until the server is gone; note every commit that was answered."""
    chance = random.Random(seed)
    for number in range(UPLOADS):
        repo_id, name = chance.choice(REPOSITORIES), f"{seed}-{number}"
        small = chance.randbytes(chance.randrange(1, 3000)).hex().encode()
        operations = [CommitOperationAdd(f"{name}.txt", small)]
        if chance.random() < 0.5:
            operations.append(
                CommitOperationAdd(f"{name}.bin", chance.randbytes(chance.randrange(1, 400_000)))
            )
        try:
            done = api.create_commit(repo_id, operations, commit_message=name)
        except (OSError, RuntimeError):  # the connection broke: this one was not answered
            return
        answered[repo_id].append((done.oid, f"{name}.txt", len(small)))


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_a_kill_loses_no_answered_commit_and_damages_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    root, port = tmp_path / "root", free_port()
    root.mkdir()
    server = Process(root, port)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.endpoint)
    api = HfApi(endpoint=server.endpoint, token=WRITE)
    for repo_id in REPOSITORIES:
        api.create_repo(repo_id)
    answered: dict[str, list[tuple[str, str, int]]] = {repo_id: [] for repo_id in REPOSITORIES}
    for round_number in range(4):
        threads = [
            threading.Thread(target=upload_until_killed, args=(api, round_number * 10 + n, answered))
            for n in range(3)
        ]
        for thread in threads:
            thread.start()
        time.sleep(random.Random(round_number).uniform(0.6, 1.6))
        server.kill()
        for thread in threads:
            thread.join(60)
        server = Process(root, port)
        for repo_id in REPOSITORIES:
            history = {commit.commit_id for commit in api.list_repo_commits(repo_id)}
            assert {oid for oid, _, _ in answered[repo_id]} <= history
            check = subprocess.run(
                ["git", "fsck", "--full", "--strict"],
                cwd=root / "repositories" / "models" / f"{repo_id}.git",
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert check.returncode == 0, check.stderr
            assert "missing" not in check.stdout + check.stderr
            assert "corrupt" not in check.stdout + check.stderr
            api.create_commit(
                repo_id, [CommitOperationAdd("after.txt", os.urandom(8).hex().encode())], commit_message="a"
            )
    sizes = {
        repo_id: {entry.path: entry.size for entry in api.list_repo_tree(repo_id)} for repo_id in REPOSITORIES
    }
    for repo_id, commits in answered.items():
        assert {path: size for _, path, size in commits}.items() <= sizes[repo_id].items()
        for path in [path for path in sizes[repo_id] if path.endswith(".bin")]:
            answer = requests.get(f"{server.endpoint}/{repo_id}/resolve/main/{path}", timeout=30)
            assert len(answer.content) == sizes[repo_id][path]
    server.kill()
    assert sum(len(commits) for commits in answered.values()) >= 20

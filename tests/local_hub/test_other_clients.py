from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from huggingface_hub import CommitOperationAdd, HfApi

from local_hub import HubSettings, RunningHub, running_hub
from tests.local_hub.accounts import GRANTS, OTHER, READ, WRITE
from tests.local_hub.tiny_classifier import card, write_onnx, write_tiny_classifier

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def xet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    settings = HubSettings(tmp_path_factory.mktemp("hub"), tokens=GRANTS, allow_faults=True)
    with running_hub(settings) as running:
        yield running


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "GIT_"))}
    folder = environment.pop("folder", None)
    return subprocess.run(
        command, env=clean | environment, cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )


def requests_to(server: RunningHub, part: str) -> int:
    log = requests.get(f"{server.control}/log", params={"clear": "1"}, timeout=10).json()
    return sum(part in line["path"] for line in log)


def test_hub_0_36_uploads_and_downloads_through_xet(xet_server: RunningHub, tmp_path: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from huggingface_hub import HfApi
api = HfApi(token="hf_writer")
api.create_repo("ann/old")
content = os.urandom(500_000) + bytes(range(256)) * 4000
Path("x.bin").write_bytes(content)
api.upload_file(path_or_fileobj="x.bin", path_in_repo="x.bin", repo_id="ann/old")
assert Path(api.hf_hub_download("ann/old", "x.bin")).read_bytes() == content
"""
    done = run(
        [sys.executable, "-c", code],
        folder=str(tmp_path),
        HF_ENDPOINT=xet_server.endpoint,
        HF_HOME=str(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    assert requests_to(xet_server, "/xorbs/") >= 2
    whole = requests.get(f"{xet_server.endpoint}/ann/old/resolve/main/x.bin", timeout=10).content
    assert whole == (tmp_path / "x.bin").read_bytes()


@pytest.fixture(scope="module")
def newest_client() -> Path:
    """The bin folder of an environment with huggingface_hub 2, made once."""
    folder = ROOT / ".envs" / "hub2"
    if not (folder / "bin" / "hf").exists():
        venv.create(folder, with_pip=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "huggingface_hub==2.4.0", "hf_xet==1.8.0"], check=True, timeout=280)
    return folder / "bin"


@pytest.mark.slow
@pytest.mark.parametrize("without_xet", ["0", "1"])
def test_hub_2_goes_all_the_way(
    xet_server: RunningHub, newest_client: Path, tmp_path: Path, without_xet: str
) -> None:
    requests_to(xet_server, "")
    done = run(
        [str(newest_client / "python"), str(HERE / "hub2_client.py"), f"ann/hub2-{without_xet}"],
        HF_ENDPOINT=xet_server.endpoint,
        HF_HOME=str(tmp_path),
        HF_HUB_DISABLE_XET=without_xet,
    )
    assert done.stdout.strip() == "ok", done.stderr
    assert (requests_to(xet_server, "/v1/xorbs/") > 0) == (without_xet == "0")


@pytest.mark.slow
@pytest.mark.parametrize("without_xet", ["0", "1"])
def test_hf_command(xet_server: RunningHub, newest_client: Path, tmp_path: Path, without_xet: str) -> None:
    repo_id = f"ann/command-{without_xet}"
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.txt").write_text("small", encoding="utf-8")
    (source / "b.bin").write_bytes(os.urandom(300_000))
    hf = str(newest_client / "hf")
    environment = {
        "HF_ENDPOINT": xet_server.endpoint,
        "HF_HOME": str(tmp_path / "home"),
        "HF_TOKEN": WRITE,
        "HF_HUB_DISABLE_XET": without_xet,
    }
    for command in (
        ["repos", "create", repo_id],
        ["upload", repo_id, str(source), "."],
        ["download", repo_id, "--local-dir", str(tmp_path / "copy")],
    ):
        done = run([hf, *command], **environment)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    for name in ("a.txt", "b.bin"):
        assert (tmp_path / "copy" / name).read_bytes() == (source / name).read_bytes()
    refused = run(
        [hf, "upload", repo_id, str(source / "a.txt"), "c.txt"], **{**environment, "HF_TOKEN": READ}
    )
    assert refused.returncode != 0
    assert "403" in refused.stdout + refused.stderr


def test_load_dataset_reads_from_the_hub(xet_server: RunningHub, tmp_path: Path) -> None:
    api = HfApi(endpoint=xet_server.endpoint, token=WRITE)
    api.create_repo("ann/lines", repo_type="dataset")
    rows = b"text,label\nprofit rises,2\nloss grows,0\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.ENDPOINT", xet_server.endpoint)
        add = [CommitOperationAdd("train.csv", rows)]
        api.create_commit("ann/lines", add, commit_message="rows", repo_type="dataset")
    code = "import datasets; print(datasets.load_dataset('ann/lines', split='train')[1])"
    done = run([sys.executable, "-c", code], HF_ENDPOINT=xet_server.endpoint, HF_HOME=str(tmp_path))
    assert done.stdout.strip() == "{'text': 'loss grows', 'label': 0}", done.stderr


needs_git = pytest.mark.skipif(
    not (shutil.which("git") and shutil.which("git-lfs")), reason="git and git-lfs are not installed"
)


class Git:
    """git in a folder of its own, with no settings of whoever runs it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self("config", "--global", "user.name", "ann")
        self("config", "--global", "user.email", "ann@localhost")
        self("lfs", "install", "--skip-repo")

    def __call__(self, *words: str, folder: Path | None = None, fine: bool = True) -> str:
        done = run(
            ["git", *words], folder=str(folder or self.home), HOME=str(self.home), GIT_TERMINAL_PROMPT="0"
        )
        assert (done.returncode == 0) == fine, (words, done.stdout, done.stderr)
        return done.stdout + done.stderr


@pytest.fixture
def git(tmp_path: Path) -> Git:
    home = tmp_path / "home"
    home.mkdir()
    return Git(home)


def with_token(url: str, token: str) -> str:
    return url.replace("http://", f"http://ann:{token}@")


@needs_git
def test_git_clones_and_pushes_with_large_files(xet_server: RunningHub, git: Git) -> None:
    api = HfApi(endpoint=xet_server.endpoint, token=WRITE)
    api.create_repo("ann/git", private=True)
    url = f"{xet_server.endpoint}/ann/git"
    git("clone", url, "anonymous", fine=False)
    git("clone", with_token(url, WRITE), "work")
    work = git.home / "work"
    weights = os.urandom(2_000_000)
    (work / "weights.bin").write_bytes(weights)
    (work / "notes.md").write_text("# notes\n", encoding="utf-8")
    git("add", ".", folder=work)
    git("commit", "-m", "from git", folder=work)
    git("push", "origin", "HEAD:main", folder=work)
    info = api.model_info("ann/git", files_metadata=True)
    sizes = {sibling.rfilename: (sibling.size, sibling.lfs is not None) for sibling in info.siblings or []}
    assert sizes["weights.bin"] == (2_000_000, True)
    assert sizes["notes.md"] == (8, False)
    git("clone", with_token(f"{url}.git", READ), "copy")
    assert (git.home / "copy" / "weights.bin").read_bytes() == weights
    git("tag", "v1", folder=work)
    git("push", "origin", "v1", folder=work)
    assert [tag.name for tag in api.list_repo_refs("ann/git").tags] == ["v1"]
    git("push", "origin", "HEAD:refs/heads/no", folder=git.home / "copy", fine=False)


@needs_git
@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("picture.dat", b"\x00\x01\x02" * 100, "binary file"),
        ("big.txt", b"x" * ((10 << 20) + 1), "must be stored with Git LFS"),
        ("README.md", b"---\nwidget: 3\n---\n", "must be an array"),
        ("link", None, "symbolic link"),
    ],
)
def test_git_push_is_held_to_the_rules(
    xet_server: RunningHub, git: Git, path: str, content: bytes | None, message: str
) -> None:
    api = HfApi(endpoint=xet_server.endpoint, token=WRITE)
    repo_id = f"ann/rules-{path.replace('.', '-').lower()}"
    api.create_repo(repo_id)
    git("clone", with_token(f"{xet_server.endpoint}/{repo_id}", WRITE), "work")
    work = git.home / "work"
    if content is None:
        (work / path).symlink_to("/etc/passwd")
    else:
        (work / path).write_bytes(content)
    git("add", ".", folder=work)
    git("commit", "-m", "bad", folder=work)
    assert message in git("push", "origin", "HEAD:main", folder=work, fine=False)
    assert [commit.title for commit in api.list_repo_commits(repo_id)] == ["initial commit"]
    bob = git(
        "push", with_token(f"{xet_server.endpoint}/{repo_id}", OTHER), "HEAD:main", folder=work, fine=False
    )
    assert "403" in bob


@pytest.fixture(scope="module")
def node_folder() -> Path:
    """A folder with the JavaScript clients of package-lock.json, installed once."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed")
    folder = ROOT / ".envs" / "node-hub"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "clients.mjs"):
        shutil.copyfile(HERE / name, folder / name)
    if not (folder / "node_modules" / "@huggingface" / "transformers").exists():
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=280)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("with_xet", ["0", "1"])
def test_javascript_clients(xet_server: RunningHub, node_folder: Path, tmp_path: Path, with_xet: str) -> None:
    write_tiny_classifier(tmp_path)
    write_onnx(tmp_path)
    (tmp_path / "README.md").write_text(card(), encoding="utf-8")
    requests_to(xet_server, "")
    command = ["node", "clients.mjs", xet_server.endpoint, str(tmp_path), with_xet]
    done = run(command, folder=str(node_folder))
    assert done.stdout.strip().endswith("ok"), done.stdout + done.stderr
    assert (requests_to(xet_server, "/v1/xorbs/") > 0) == (with_xet == "1")

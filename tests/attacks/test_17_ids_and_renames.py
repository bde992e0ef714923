"""Ids that no Hub takes are refused early; a renamed repository is found by its old id, by every client."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import RepositoryNotFoundError
from hypothesis import given, settings
from hypothesis import strategies as st

import hub_push
from finsent.hub_id import check_hub_id
from local_hub import HubSettings, RunningHub, running_hub
from local_hub.errors import HubError
from local_hub.names import check_name
from publishing.hub.connection import Timeouts, connect
from publishing.hub.remote import Reader, Target
from publishing.hub.retries import Retries
from publishing.options import PushOptions
from publishing.package.parcel import pack_dataset
from publishing.push import Push
from tests.attacks.clients import client
from tests.attacks.conftest import Git
from tests.attacks.people import Person
from tests.finsent.test_hub_id import NAMES, NO_NAMES
from tests.local_hub.accounts import GRANTS, OTHER, WRITE


@pytest.mark.parametrize("name", NO_NAMES)
def test_names_that_no_hub_takes(name: str) -> None:
    with pytest.raises(HubError, match="Invalid repository name"):
        check_name(name)


def test_a_name_that_git_would_take_for_a_lock_file() -> None:
    with pytest.raises(HubError, match="Invalid repository name"):
        check_name("x.lock")


@pytest.mark.parametrize("name", NAMES)
def test_names_that_every_hub_takes(name: str) -> None:
    assert check_name(name) == name


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(
    st.text("aZ0-_.é/ ", max_size=8) | st.just("a" * 95), st.sampled_from(["", ".git", ".GIT", "-", ".", "x"])
)
def test_both_sides_take_the_same_names(start: str, end: str) -> None:
    """The rule stands in two rooms that share no code; what passes is safe in a path and an address."""
    name, taken = start + end, []
    for check in (lambda: check_hub_id(f"ann/{name}"), lambda: check_name(name)):
        try:
            taken.append(bool(check()))
        except (ValueError, HubError):
            taken.append(False)
    assert taken[0] == taken[1]
    if taken[0]:
        assert (
            not set(name) & set("/ é") and ".." not in name and name[-1] not in "-." and name[0] not in "-."
        )


@pytest.fixture
def moved(api: HfApi, repo_id: str) -> Iterator[tuple[str, str]]:
    """A repository with a regular and a large file, and the id that it has now."""
    content = os.urandom(2000)
    api.create_repo(repo_id)
    files = [CommitOperationAdd("a.txt", b"small"), CommitOperationAdd("w.bin", content)]
    api.create_commit(repo_id, files, commit_message="first")
    new = f"desk/{repo_id.partition('/')[2]}-new"[:96].rstrip("-")
    api.move_repo(repo_id, new)
    yield repo_id, new
    api.delete_repo(new, missing_ok=True)


def test_the_published_client_follows(
    hub: RunningHub, api: HfApi, moved: tuple[str, str], tmp_path: Path
) -> None:
    old, new = moved
    assert api.repo_info(old).id == new and api.repo_exists(old)
    assert Path(api.hf_hub_download(old, "a.txt", cache_dir=tmp_path)).read_bytes() == b"small"
    assert len(Path(api.hf_hub_download(old, "w.bin", cache_dir=tmp_path)).read_bytes()) == 2000
    assert Path(api.snapshot_download(old, cache_dir=tmp_path)).is_dir()
    assert {one.path for one in api.list_repo_tree(old)} == {".gitattributes", "a.txt", "w.bin"}
    assert api.get_paths_info(old, ["a.txt"])[0].path == "a.txt"
    more = os.urandom(3000)
    api.create_commit(old, [CommitOperationAdd("m.bin", more)], commit_message="by the old id")
    api.create_tag(old, tag="v1")
    api.create_branch(old, branch="next")
    pull = api.create_commit(old, [CommitOperationAdd("p.txt", b"p")], commit_message="p", create_pr=True)
    api.merge_pull_request(old, int(str(pull.pr_num)))
    assert api.file_exists(new, "p.txt") and api.file_exists(new, "m.bin")
    assert [tag.name for tag in api.list_repo_refs(old).tags] == ["v1"]
    api.update_repo_settings(old, gated="auto")
    assert api.model_info(new).gated == "auto"
    api.update_repo_settings(new, gated=False)
    (tmp_path / "x.bin").write_bytes(os.urandom(4000))
    client(hub, tmp_path, WRITE, "upload", old, "x.bin")  # through Xet
    assert (
        client(hub, tmp_path / "other", OTHER, "download", old, "x.bin") == (tmp_path / "x.bin").read_bytes()
    )


def test_git_and_lfs_follow(ann: Person, git: Git, moved: tuple[str, str], tmp_path: Path) -> None:
    old, new = moved
    if not shutil.which("git-lfs"):
        pytest.skip("git-lfs is not installed")
    git("lfs", "install", "--skip-repo", at=tmp_path)
    for name, url in (("plain", ann.git_url(old)), ("suffix", ann.git_url(f"{old}.git"))):
        done = git("clone", url, name, at=tmp_path, GIT_LFS_SKIP_SMUDGE="0")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / name / "w.bin").stat().st_size == 2000
    work = tmp_path / "plain"
    (work / "pushed.bin").write_bytes(os.urandom(5000))
    git("add", ".", at=work)
    git("commit", "-qm", "from git", at=work)
    done = git("push", "origin", "HEAD:main", at=work)
    assert done.returncode == 0, done.stderr
    assert len(ann.get(f"/{new}/resolve/main/pushed.bin").content) == 5000


def addresses(repo: str, kind: str) -> list[tuple[str, str]]:
    web = repo if kind == "models" else f"{kind}/{repo}"
    api = f"/api/{kind}/{repo}"
    return [
        ("GET", api), ("GET", f"{api}/revision/main?blobs=true&x=%2F"), ("GET", f"{api}/tree/main/a%2Fb"),
        ("POST", f"{api}/paths-info/refs%2Fpr%2F1"), ("GET", f"{api}/commits/main"), ("GET", f"{api}/refs"),
        ("POST", f"{api}/preupload/main"), ("POST", f"{api}/commit/main?create_pr=1"),
        ("POST", f"{api}/branch/x"), ("DELETE", f"{api}/tag/x"), ("PUT", f"{api}/settings"),
        ("GET", f"{api}/discussions/1?diff=1"), ("POST", f"{api}/discussions"), ("GET", f"{api}/auth-check"),
        ("GET", f"{api}/xet-write-token/main"), ("GET", f"/api/resolve-cache/{kind}/{repo}/main/a.txt"),
        ("HEAD", f"/{web}/resolve/main/a%20b.txt"), ("GET", f"/{web}/resolve/refs%2Fpr%2F1/a.txt"),
        ("GET", f"/{web}"), ("GET", f"/{web}/tree/main"), ("GET", f"/{web}/discussions"),
        ("GET", f"/{web}/info/refs?service=git-upload-pack"), ("POST", f"/{web}.git/git-receive-pack"),
        ("GET", f"/{web}.git/info/refs?service=git-upload-pack"),
        ("POST", f"/{web}.git/info/lfs/objects/batch"),
    ]  # fmt: skip


EXTRA = {
    "models": [("POST", "/hf-inference/models/{repo}"), ("POST", "/{repo}/ask-access")],
    "datasets": [],
    "spaces": [
        ("GET", "/api/spaces/{repo}/runtime"), ("POST", "/api/spaces/{repo}/variables"),
        ("GET", "/api/spaces/{repo}/secrets"), ("POST", "/api/spaces/{repo}/restart"),
        ("GET", "/spaces/{repo}/app/index.html"), ("GET", "/api/spaces/{repo}/logs/run"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", EXTRA)
def test_every_address_leads_to_the_new_id(ann: Person, bob: Person, api: HfApi, kind: str) -> None:
    api.create_repo(f"ann/old-{kind}", repo_type=kind[:-1], space_sdk="static" if kind == "spaces" else None)
    api.move_repo(f"ann/old-{kind}", f"desk/new-{kind}", repo_type=kind[:-1])
    asked = addresses("{repo}", kind) + EXTRA[kind]
    bodies = {
        "json": {
            "files": [],
            "title": "xxx",
            "key": "K",
            "tag": "x",
            "operation": "download",
            "objects": [],
            "inputs": "x",
        }
    }
    for method, template in asked:
        old, new = (
            template.replace("{repo}", f"ann/old-{kind}"),
            template.replace("{repo}", f"desk/new-{kind}"),
        )
        answer = ann.ask(method, old, allow_redirects=False, **({} if method in ("GET", "HEAD") else bodies))
        assert (answer.status_code, answer.headers.get("Location")) == (307, new), (method, old, answer.text)


def test_a_private_repository_that_moved_looks_missing(api: HfApi, bob: Person, anybody: Person) -> None:
    api.create_repo("ann/hidden", private=True)
    api.move_repo("ann/hidden", "ann/hidden-new")
    for person, status in ((bob, 404), (anybody, 401)):
        for _, address in addresses("ann/hidden", "models")[:1]:
            answer = person.get(address, allow_redirects=False)
            assert (answer.status_code, answer.headers["X-Error-Code"]) == (status, "RepoNotFound")
            assert "hidden-new" not in answer.text + str(answer.headers)


def test_a_name_that_is_taken_again_leads_to_its_new_owner(api: HfApi) -> None:
    api.create_repo("ann/name")
    api.move_repo("ann/name", "ann/name-2")
    api.move_repo("ann/name-2", "ann/name-3")
    assert api.model_info("ann/name").id == api.model_info("ann/name-2").id == "ann/name-3"
    api.create_repo("ann/name")
    assert api.model_info("ann/name").id == "ann/name"
    api.delete_repo("ann/name")
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("ann/name")
    api.move_repo("ann/name-3", "ann/name")  # back home
    assert api.model_info("ann/name-2").id == api.model_info("ann/name").id == "ann/name"
    api.delete_repo("ann/name")
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("ann/name-2")


def test_redirects_survive_a_restart(tmp_path: Path) -> None:
    hub_settings = HubSettings(tmp_path / "root", tokens=GRANTS)
    with running_hub(hub_settings) as running:
        api = HfApi(endpoint=running.endpoint, token=WRITE)
        api.create_repo("ann/before")
        api.move_repo("ann/before", "ann/after")
    with running_hub(hub_settings) as running:
        assert HfApi(endpoint=running.endpoint, token=WRITE).model_info("ann/before").id == "ann/after"


def test_a_signed_upload_outlives_the_renaming(api: HfApi, ann: Person, repo_id: str) -> None:
    api.create_repo(repo_id)
    answer = ann.batch(repo_id, b"content", "upload").json()["objects"][0]["actions"]["upload"]["href"]
    api.move_repo(repo_id, "ann/outlived")
    assert requests.put(answer, data=b"content", timeout=10).ok
    assert "actions" not in ann.batch("ann/outlived", b"content", "upload").json()["objects"][0]


@pytest.fixture
def reader(hub: RunningHub) -> Reader:
    return Reader(
        connect(hub.endpoint, WRITE, Timeouts(5, 5), "a test"), Retries(tries=3, base=0.05, settle=0.05)
    )


def test_a_data_set_that_was_renamed_is_pushed_under_the_new_id(
    reader: Reader, tmp_path: Path, repo_id: str
) -> None:
    api = reader.connection.api
    api.create_repo(repo_id, repo_type="dataset")
    api.move_repo(repo_id, "ann/rows-new", repo_type="dataset")
    headlines = Path(__file__).parents[2] / "data" / "headlines"
    parcel = pack_dataset(headlines, Target(repo_id, "dataset"), tmp_path)
    outcome = hub_push.publish(Push(parcel, PushOptions(proof="files", confirm=False), reader))
    assert outcome.plan.repo_id == "ann/rows-new" and not outcome.plan.is_empty

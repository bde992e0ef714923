"""Knowing a sha256 or a commit gives no access: only what was sent here, and what a reference leads to."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import pytest
import requests
from huggingface_hub import HfApi

from local_hub import RunningHub
from local_hub.catalogue import Shelf
from local_hub.exports import export_files
from local_hub.names import RepoId
from local_hub.trees import Change, Signature
from tests.attacks.conftest import Git
from tests.attacks.people import Person, large, pointer, regular

SECRET = os.urandom(2000)  # Ann's private weights, of which Bob knows the sha256
ZERO = "0" * 40


@pytest.fixture
def vault(api: HfApi, ann: Person) -> str:
    """Ann's private repository, which holds the secret."""
    api.create_repo("ann/vault", private=True, exist_ok=True)
    if not ann.batch("ann/vault", SECRET, "download").json()["objects"][0].get("actions"):
        ann.publish("ann/vault", "weights.bin", SECRET)
    return "ann/vault"


def shelf_of(hub: RunningHub, repo_id: str, kind: str = "models") -> Shelf:
    found = hub.hub.catalogue.get(RepoId(kind, *repo_id.split("/")))  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize("kind", ["model", "dataset", "space"])
@pytest.mark.parametrize("encoding", ["utf-8", "base64"])
def test_create_takes_no_pointer_to_what_was_not_sent(
    vault: str, bob: Person, kind: str, encoding: str
) -> None:
    text = pointer(SECRET).decode() if encoding == "utf-8" else base64.b64encode(pointer(SECRET)).decode()
    files = [{"path": "index.html", "content": text, "encoding": encoding}]
    body = {"name": f"made-{kind}-{encoding}", "type": kind, "sdk": "static", "files": files}
    answer = bob.post("/api/repos/create", json=body)
    assert answer.status_code == 400 and "was not uploaded to this repository" in answer.json()["error"]
    assert bob.get(f"/api/{kind}s/bob/made-{kind}-{encoding}").status_code == 404


OPERATIONS = {"pointer as text": regular("x.bin", pointer(SECRET)), "large file": large("x.bin", SECRET)}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("pr", [False, True])
def test_commits_take_no_pointer_to_what_was_not_sent(
    vault: str, bob: Person, operation: str, pr: bool
) -> None:
    bob.post("/api/repos/create", json={"name": "thief"})
    answer = bob.commit("bob/thief", OPERATIONS[operation], pr=pr)
    assert answer.status_code == 400 and "was not uploaded to this repository" in answer.json()["error"]
    assert bob.batch("bob/thief", SECRET, "download").json()["objects"][0]["error"]["code"] == 404
    assert "actions" in bob.batch("bob/thief", SECRET, "upload").json()["objects"][0]


def test_a_pointer_that_stands_already_serves_nothing(hub: RunningHub, vault: str, bob: Person) -> None:
    """A repository of an older Hub may hold such pointers; nothing that reads objects follows them."""
    body = {"name": "old", "type": "space", "sdk": "static"}
    bob.post("/api/repos/create", json=body)
    space = shelf_of(hub, "bob/old", "spaces").repository
    bob.post("/api/repos/create", json={"name": "old"})
    model = shelf_of(hub, "bob/old").repository
    for repository, path in ((space, "index.html"), (model, "model.safetensors")):
        head = repository.resolve("main")
        blob = repository.add_blob(pointer(SECRET))
        oid = repository.write_commit((head,), [Change(path, blob)], Signature("bob", "old"))
        assert repository.point("refs/heads/main", oid, head)
    for address in (
        "/spaces/bob/old/app/", "/spaces/bob/old/app/index.html", "/spaces/bob/old/resolve/main/index.html",
        "/bob/old/resolve/main/model.safetensors", "/api/resolve-cache/models/bob/old/main/model.safetensors",
    ):  # fmt: skip
        answer = bob.get(address)
        assert answer.status_code == 404 and SECRET not in answer.content, address
    assert "safetensors" not in bob.get("/api/models/bob/old?expand=safetensors").json()
    folder = export_files(hub.hub, shelf_of(hub, "bob/old"), model.resolve("main"), hub.hub.incoming / "out")
    assert not (folder / "model.safetensors").exists()


def test_an_object_of_ones_own_repository_is_nobody_elses(
    api: HfApi, ann: Person, bob: Person, repo_id: str
) -> None:
    """Sent to a public repository, never committed: strangers can neither fetch it nor make it theirs."""
    api.create_repo(repo_id)
    content = os.urandom(1000)
    assert ann.send(repo_id, content).ok
    assert "error" in bob.batch(repo_id, content, "download").json()["objects"][0]
    assert "actions" in bob.batch(repo_id, content, "upload").json()["objects"][0]
    assert bob.commit(repo_id, large("x.bin", content), pr=True).status_code == 400
    assert bob.send(repo_id, content).ok  # now he has shown that he has the bytes
    assert bob.commit(repo_id, large("x.bin", content), pr=True).ok


def test_contributors_may_use_what_is_published(api: HfApi, ann: Person, bob: Person, repo_id: str) -> None:
    api.create_repo(repo_id)
    first = os.urandom(1000)
    ann.publish(repo_id, "a.bin", first)
    api.delete_file("a.bin", repo_id)  # in the history it still stands
    assert "actions" not in bob.batch(repo_id, first, "upload").json()["objects"][0]
    assert bob.commit(repo_id, large("copy.bin", first), pr=True).ok
    assert requests.get(
        bob.batch(repo_id, first, "download").json()["objects"][0]["actions"]["download"]["href"], timeout=10
    ).content == first  # fmt: skip


def test_a_pointer_of_another_size_is_refused(api: HfApi, ann: Person, repo_id: str) -> None:
    api.create_repo(repo_id)
    content = os.urandom(1000)
    assert ann.send(repo_id, content).ok
    lie = pointer(content).replace(b"size 1000", b"size 1")
    assert "has 1000 bytes, the commit says 1" in ann.commit(repo_id, regular("x.bin", lie)).json()["error"]


def signed_addresses(person: Person, repo_id: str, content: bytes) -> list[str]:
    resolve = person.get(f"/{repo_id}/resolve/main/w.bin", allow_redirects=False)
    batch = person.batch(repo_id, content, "download").json()["objects"][0]
    return [resolve.headers["Location"], batch["actions"]["download"]["href"]]


def test_signed_addresses_end_with_the_right(api: HfApi, ann: Person, bob: Person, repo_id: str) -> None:
    api.create_repo(repo_id)
    content = os.urandom(1000)
    ann.publish(repo_id, "w.bin", content)
    addresses = signed_addresses(bob, repo_id, content)
    assert [requests.get(one, timeout=10).content for one in addresses] == [content, content]
    api.update_repo_settings(repo_id, private=True)
    assert [requests.get(one, timeout=10).status_code for one in addresses] == [403, 403]
    api.update_repo_settings(repo_id, private=False, gated="manual")
    assert [requests.get(one, timeout=10).status_code for one in addresses] == [403, 403]


def test_signed_addresses_do_not_open_a_namesake(api: HfApi, ann: Person, repo_id: str) -> None:
    api.create_repo(repo_id)
    content = os.urandom(1000)
    ann.publish(repo_id, "w.bin", content)
    addresses = signed_addresses(ann, repo_id, content)
    upload = ann.batch(repo_id, b"later", "upload").json()["objects"][0]["actions"]["upload"]["href"]
    api.delete_repo(repo_id)
    api.create_repo(repo_id)
    assert [requests.get(one, timeout=10).status_code for one in addresses] == [403, 403]
    assert requests.put(upload, data=b"later", timeout=10).status_code == 403


# histories


def objects_of(hub: RunningHub, repo_id: str) -> set[Path]:
    return {path for path in (shelf_of(hub, repo_id).folder / "objects").rglob("*") if path.is_file()}


@pytest.fixture
def work(api: HfApi, ann: Person, git: Git, tmp_path: Path, repo_id: str) -> Path:
    """Ann's clone of a fresh public repository."""
    api.create_repo(repo_id)
    assert git("clone", ann.git_url(repo_id), "work", at=tmp_path).returncode == 0
    (tmp_path / "work" / ".gitattributes").write_text("", encoding="utf-8")
    return tmp_path / "work"


def add(git: Git, work: Path, path: str, content: bytes, **environment: str) -> str:
    (work / path).write_bytes(content)
    git("add", ".", at=work)
    assert git("commit", "-qm", f"add {path}", at=work, **environment).returncode == 0
    return git("rev-parse", "HEAD", at=work).stdout.strip()


def test_a_refused_push_is_gone(
    hub: RunningHub, ann: Person, anybody: Person, git: Git, work: Path, repo_id: str
) -> None:
    before = objects_of(hub, repo_id)
    (work / "leak.txt").write_text("not for anybody", encoding="utf-8")
    refused = add(git, work, "weights.dat", b"\0\1\2" * 100)
    assert "binary file" in git("push", "origin", "HEAD:main", at=work).stderr
    assert objects_of(hub, repo_id) == before
    assert not list(hub.hub.incoming.glob("*.quarantine"))
    for name in (refused, refused[:10]):
        for address in (
            f"/{repo_id}/resolve/{name}/leak.txt", f"/api/models/{repo_id}/tree/{name}",
            f"/api/models/{repo_id}/revision/{name}", f"/api/models/{repo_id}/commits/{name}",
            f"/{repo_id}/commit/{name}", f"/api/resolve-cache/models/{repo_id}/{name}/leak.txt",
        ):  # fmt: skip
            assert anybody.get(address).status_code == 404, address
    body = {"startingPoint": refused}
    assert ann.post(f"/api/models/{repo_id}/branch/back", json=body).status_code == 404
    assert ann.post(f"/api/models/{repo_id}/tag/{refused}", json={"tag": "back"}).status_code == 404


def test_of_a_push_only_what_is_taken_stays(hub: RunningHub, git: Git, work: Path, repo_id: str) -> None:
    fine = add(git, work, "fine.txt", b"fine")
    bad = add(git, work, "weights.dat", b"\0\1\2" * 100)
    done = git("push", "origin", f"{fine}:refs/heads/fine", f"{bad}:refs/heads/bad", at=work)
    assert "binary file" in done.stderr
    repository = shelf_of(hub, repo_id).repository
    assert set(repository.refs("refs/heads/")) == {"main", "fine"}
    with repository.git() as repo:
        assert fine.encode() in repo.object_store and bad.encode() not in repo.object_store
    assert repository.read(fine, "fine.txt") == b"fine"


def test_an_atomic_push_is_taken_whole_or_not_at_all(
    hub: RunningHub, git: Git, work: Path, repo_id: str
) -> None:
    fine = add(git, work, "fine.txt", b"fine")
    bad = add(git, work, "weights.dat", b"\0\1\2" * 100)
    before = objects_of(hub, repo_id)
    git("push", "--atomic", "origin", f"{fine}:refs/heads/fine", f"{bad}:refs/heads/bad", at=work)
    assert objects_of(hub, repo_id) == before
    assert set(shelf_of(hub, repo_id).repository.refs("refs/heads/")) == {"main"}


def pkt(line: bytes) -> bytes:
    return f"{len(line) + 4:04x}".encode() + line


def test_what_nobody_asked_for_does_not_stay(
    hub: RunningHub, ann: Person, git: Git, work: Path, repo_id: str
) -> None:
    """A pack may bring more than the references lead to."""
    old = git("rev-parse", "HEAD", at=work).stdout.strip()
    new = add(git, work, "fine.txt", b"fine")
    extra = git("hash-object", "-w", "--stdin", at=work, given="smuggled").stdout.strip()
    names = git("rev-list", "--objects", f"{old}..{new}", at=work).stdout.split("\n")
    wanted = "\n".join([*(line.split(" ")[0] for line in names if line), extra]) + "\n"
    pack = subprocess.run(
        ["git", "pack-objects", "--stdout"], cwd=work, input=wanted.encode(), capture_output=True, check=True
    ).stdout
    body = pkt(f"{old} {new} refs/heads/main\0report-status".encode()) + b"0000" + pack
    assert b"ok refs/heads/main" in ann.post(f"/{repo_id}.git/git-receive-pack", data=body).content
    with shelf_of(hub, repo_id).repository.git() as repo:
        assert new.encode() in repo.object_store and extra.encode() not in repo.object_store


EARLY, LATE, LATEST = "1990-01-01T00:00 +0000", "2030-01-01T00:00 +0000", "2035-01-01T00:00 +0000"
DATES = {
    "as it was": (EARLY, LATE, LATE, LATEST),
    "the root last": (LATEST, LATE, EARLY, LATEST),
    "the root last, the merge first": (LATEST, LATE, EARLY, EARLY),
    "all at once": (EARLY, EARLY, EARLY, EARLY),
}


def diamond(git: Git, work: Path, content: bytes, dates: tuple[str, str, str, str]) -> str:
    """A commit with a file, two that follow it, and one that brings these together again."""
    root, left, right, merge = ({"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date} for date in dates)
    bottom = add(git, work, "weights.bin", content, **root)
    add(git, work, "left.txt", b"left", **left)
    git("checkout", "-q", "-b", "right", bottom, at=work)
    add(git, work, "right.txt", b"right", **right)
    git("checkout", "-q", "main", at=work)
    done = git("merge", "-q", "--no-ff", "-m", "merge", "right", at=work, **merge)
    assert done.returncode == 0, done.stderr
    return git("rev-parse", "HEAD", at=work).stdout.strip()


@pytest.mark.parametrize("dates", DATES)
def test_whatever_the_dates_every_new_commit_is_judged(
    hub: RunningHub, vault: str, bob: Person, git: Git, tmp_path: Path, dates: str
) -> None:
    name = f"diamond-{dates.replace(' ', '-').replace(',', '')}"
    bob.post("/api/repos/create", json={"name": name})
    assert git("clone", bob.git_url(f"bob/{name}"), "work", at=tmp_path).returncode == 0
    work = tmp_path / "work"
    (work / ".gitattributes").write_text("", encoding="utf-8")
    diamond(git, work, pointer(SECRET), DATES[dates])
    done = git("push", "origin", "HEAD:main", at=work)
    assert done.returncode != 0 and "was not uploaded to this repository" in done.stderr
    assert len(bob.get(f"/api/models/bob/{name}/commits/main").json()) == 1


@pytest.mark.parametrize("dates", DATES)
def test_histories_are_listed_children_first(
    ann: Person, git: Git, work: Path, repo_id: str, dates: str
) -> None:
    head = diamond(git, work, b"plain", DATES[dates])
    assert git("push", "origin", "HEAD:main", at=work).returncode == 0
    listed = [one["id"] for one in ann.get(f"/api/models/{repo_id}/commits/main").json()]
    parents = [line.split() for line in git("rev-list", "--parents", head, at=work).stdout.splitlines()]
    assert sorted(listed) == sorted(line[0] for line in parents)
    for child, *rest in parents:
        assert all(listed.index(child) < listed.index(parent) for parent in rest)


def test_a_replaced_or_deleted_branch_is_nobodys(api: HfApi, ann: Person, repo_id: str) -> None:
    api.create_repo(repo_id)
    api.create_branch(repo_id, branch="draft")
    body = (
        b'{"key":"header","value":{"summary":"x"}}\n{"key":"file","value":{"path":"a.txt","content":"YQ=="}}'
    )
    oid = ann.post(f"/api/models/{repo_id}/commit/draft", data=body).json()["commitOid"]
    assert ann.get(f"/{repo_id}/resolve/{oid}/a.txt").content == b"a"
    assert ann.get(f"/{repo_id}/resolve/{oid[:8]}/a.txt").content == b"a"
    api.create_tag(repo_id, tag="kept", revision=oid, tag_message="annotated")
    api.delete_branch(repo_id, branch="draft")
    assert ann.get(f"/{repo_id}/resolve/{oid}/a.txt").content == b"a"  # the tag leads to it
    api.delete_tag(repo_id, tag="kept")
    for name in (oid, oid[:8]):
        assert ann.get(f"/{repo_id}/resolve/{name}/a.txt").status_code == 404


def test_only_commits_can_be_named(hub: RunningHub, ann: Person, api: HfApi, repo_id: str) -> None:
    api.create_repo(repo_id)
    repository = shelf_of(hub, repo_id).repository
    tree = repository.commit_facts(repository.resolve("main")).tree
    blob = repository.files(repository.resolve("main"))[0].oid
    for oid in (tree, blob, ZERO, tree[:10], blob[:10]):
        assert ann.get(f"/api/models/{repo_id}/revision/{oid}").status_code == 404


def test_a_tree_seen_elsewhere_is_judged_at_the_root_too(git: Git, work: Path) -> None:
    (work / "sub").mkdir()
    add(git, work, "sub/README.md", b"---\nwidget: 3\n---\n")
    tree = git("rev-parse", "HEAD:sub", at=work).stdout.strip()
    both = git("mktree", at=work, given=f"040000 tree {tree}\tsub\n").stdout.strip()
    first = git("commit-tree", both, "-p", "HEAD", "-m", "below", at=work).stdout.strip()
    second = git("commit-tree", tree, "-p", first, "-m", "at the root", at=work).stdout.strip()
    assert git("push", "origin", f"{first}:refs/heads/main", at=work).returncode == 0
    done = git("push", "origin", f"{second}:refs/heads/main", at=work)
    assert done.returncode != 0 and "must be an array" in done.stderr


def test_a_push_into_which_ids_are_only_claimed(
    hub: RunningHub, vault: str, bob: Person, git: Git, tmp_path: Path
) -> None:
    """A pushed commit may name blobs that the pack does not bring: another repository's do not count."""
    bob.post("/api/repos/create", json={"name": "claims"})
    head = bob.get("/api/models/bob/claims").json()["sha"]
    git("init", "-q", "empty", at=tmp_path)
    work = tmp_path / "empty"
    blob = shelf_of(hub, vault).repository
    oid = next(entry.oid for entry in blob.files(blob.resolve("main")) if entry.pointer)
    tree = git("mktree", "--missing", at=work, given=f"100644 blob {oid}\tx.bin\n").stdout.strip()
    commit = git("commit-tree", tree, "-m", "claims", at=work).stdout.strip()
    pack = subprocess.run(
        ["git", "pack-objects", "--stdout"], cwd=work, input=f"{tree}\n{commit}\n".encode(),
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    body = pkt(f"{head} {commit} refs/heads/main\0report-status".encode()) + b"0000" + pack
    answer = bob.post("/bob/claims.git/git-receive-pack", data=body).content
    assert b"ng refs/heads/main" in answer and b"lacks some of the objects" in answer


def test_what_honest_pushes_do_still_works(hub: RunningHub, git: Git, work: Path, repo_id: str) -> None:
    """Annotated tags, forced pushes, deletions, a push of what is there, thin packs on packed history."""
    repository = shelf_of(hub, repo_id).repository
    first = add(git, work, "a.txt", b"a\n" * 5000)
    second = add(git, work, "a.txt", b"a\n" * 4000 + b"b\n")
    git("tag", "-a", "v1", "-m", "first", at=work)
    for words in (
        ("push", "origin", "HEAD:main", "v1"),
        ("push", "origin", "HEAD:refs/heads/same"),
        ("push", "--force", "origin", f"{first}:refs/heads/same"),
        ("push", "origin", ":refs/heads/same"),
    ):
        done = git(*words, at=work)
        assert done.returncode == 0, done.stderr
    third = add(git, work, "a.txt", b"a\n" * 4000 + b"c\n")
    assert git("push", "--thin", "origin", "HEAD:main", at=work).returncode == 0
    assert repository.refs("refs/heads/") == {"main": third} and repository.refs("refs/tags/") == {
        "v1": second
    }
    assert repository.read(third, "a.txt") == b"a\n" * 4000 + b"c\n"
    git("tag", "-d", "v1", at=work)
    assert git("push", "origin", ":refs/tags/v1", at=work).returncode == 0
    assert git("fsck", "--strict", at=shelf_of(hub, repo_id).folder).returncode == 0
    assert not list(hub.hub.incoming.glob("*.quarantine"))

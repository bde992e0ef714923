"""Content rights are asked wherever content leaves, or anything made from it: text, hashes, diffs, chunks."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass

import pytest
import requests
from huggingface_hub import HfApi
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

from local_hub import RunningHub
from local_hub.names import RepoId
from tests.attacks.people import Person, large, regular, sha256
from tests.attacks.xet_files import Store, Xorb
from tests.local_hub.accounts import OTHER, WRITE

TEXT = b"the words that are only for readers\n"
PROPOSED = b"the words that Ann proposes\n"
CONFIG = json.dumps(
    {"architectures": ["SecretForSequenceClassification"], "model_type": "secretive"}
).encode()


def git_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Guarded:
    """A repository with content of every kind, and what must not be told of it."""

    repo_id: str
    commit: str
    proposal: str
    xorb: Xorb
    weights: bytes

    @property
    def secrets(self) -> dict[str, str]:
        """Whatever comes from the content, by its name."""
        return {
            "text": TEXT.decode().strip(),
            "proposed text": PROPOSED.decode().strip(),
            "blob id": git_id(TEXT),
            "blob id of the proposal": git_id(PROPOSED),
            "sha256": sha256(self.weights),
            "sha256 of a Xet file": sha256(self.xorb.content),
            "Xet hash": self.xorb.file_name,
            "architecture": "SecretForSequenceClassification",
            "model type": "secretive",
            "dtype and parameters": '"F32"',
        }


def safetensors() -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [50], "data_offsets": [0, 200]}}).encode()
    return len(header).to_bytes(8, "little") + header + os.urandom(200)


@pytest.fixture(scope="module")
def guarded(hub: RunningHub) -> Guarded:
    """Made once: public first, so that everything in it is published; each test closes it in its own way."""
    ann, repo_id = Person(hub.endpoint, WRITE), "ann/guarded"
    card = b"---\npipeline_tag: text-classification\ntags: [shown]\n---\n# For everybody\n"
    assert ann.post("/api/repos/create", json={"name": "guarded"}).ok
    xorb, weights = Xorb((os.urandom(400), os.urandom(300))), safetensors()
    assert Store.of(ann, repo_id).send_file(xorb).ok and ann.send(repo_id, weights).ok
    files = [
        regular("README.md", card), regular("notes.txt", TEXT), regular("config.json", CONFIG),
        large("x.bin", xorb.content), large("model.safetensors", weights),
    ]  # fmt: skip
    commit = ann.commit(repo_id, *files).json()["commitOid"]
    changes = [regular("notes.txt", PROPOSED), regular("sub/y.txt", PROPOSED)]
    proposal = ann.commit(repo_id, *changes, pr=True).json()["commitOid"]
    return Guarded(repo_id, commit, proposal, xorb, weights)


def questions(guarded: Guarded) -> list[tuple[str, str, dict[str, object]]]:
    """Everything that anybody can ask about a repository's content: method, address, the rest."""
    repo, api = guarded.repo_id, f"/api/models/{guarded.repo_id}"
    revisions = ["main", "refs%2Fpr%2F1", guarded.proposal[:8]]
    asked: list[tuple[str, str, dict[str, object]]] = []
    for revision in revisions:
        asked += [
            ("GET", f"/{repo}/{verb}/{revision}/{path}", {})
            for verb in ("resolve", "blob", "raw")
            for path in ("notes.txt", "x.bin", "model.safetensors", "config.json", "sub/y.txt")
        ]
        asked += [("HEAD", f"/{repo}/resolve/{revision}/{path}", {}) for path in ("notes.txt", "x.bin")]
        asked += [
            ("GET", f"/api/resolve-cache/models/{repo}/{revision}/notes.txt", {}),
            ("GET", f"/api/resolve-cache/models/{repo}/{revision}/x.bin", {}),
            ("GET", f"{api}/tree/{revision}?recursive=true", {}),
            ("GET", f"{api}/tree/{revision}?expand=true", {}),
            ("POST", f"{api}/paths-info/{revision}", {"json": {"paths": ["notes.txt", "x.bin"]}}),
            ("POST", f"{api}/paths-info/{revision}", {"data": {"paths": "x.bin", "expand": "true"}}),
            ("GET", f"{api}/revision/{revision}?blobs=true", {}),
            ("GET", f"{api}/commits/{revision}", {}),
            ("GET", f"{api}/xet-read-token/{revision}", {}),
            ("GET", f"{api}/xet-write-token/{revision}", {}),
            ("GET", f"/{repo}/tree/{revision}", {}),
            ("GET", f"/{repo}/commit/{revision}", {}),
            ("GET", f"/{repo}/commits/{revision}", {}),
            ("POST", f"{api}/preupload/{revision}", {"json": {"files": [{"path": "notes.txt", "size": 3}]}}),
            ("POST", f"{api}/preupload/{revision}", {"json": {"files": [{"path": "x.bin", "size": 3}]}}),
        ]
    for item in (guarded.xorb.content, guarded.weights):
        for operation in ("download", "upload"):
            wanted = {"operation": operation, "objects": [{"oid": sha256(item), "size": len(item)}]}
            asked.append(("POST", f"/{repo}.git/info/lfs/objects/batch", {"json": wanted}))
    expand = "&".join(f"expand={name}" for name in ("siblings", "safetensors", "config", "tags", "cardData"))
    asked += [
        ("GET", api, {}),
        ("GET", f"{api}?blobs=true", {}),
        ("GET", f"{api}?{expand}", {}),
        ("GET", "/api/models?search=guarded&full=true", {}),
        ("GET", "/api/models?filter=secretive", {}),
        ("GET", "/", {}),
        ("GET", "/?search=guarded", {}),
        ("GET", f"/{repo}", {}),
        ("GET", f"{api}/refs?include_prs=1", {}),
        ("GET", f"{api}/discussions", {}),
        ("GET", f"{api}/discussions/1?diff=1", {}),
        ("GET", f"/{repo}/discussions", {}),
        ("GET", f"/{repo}/discussions/1", {}),
        ("GET", f"/{repo}/info/refs?service=git-upload-pack", {}),
        ("GET", f"/{repo}.git/info/refs?service=git-receive-pack", {}),
        ("POST", f"/{repo}.git/git-upload-pack", {"data": f"0032want {guarded.commit}\n00000009done\n"}),
        ("GET", f"/_hub/xet/models/{repo}/v1/reconstructions/{guarded.xorb.file_name}", {}),
        ("GET", f"/_hub/xet/models/{repo}/xorbs/{guarded.xorb.name}", {}),
        ("GET", f"/_hub/large/{sha256(guarded.weights)}", {}),
        ("GET", f"/_hub/storage/{sha256(guarded.weights)}", {}),
        ("GET", f"/spaces/{repo}/app/", {}),
    ]  # fmt: skip
    return asked


def leaks(person: Person, guarded: Guarded) -> list[str]:
    """What an answer tells that the question did not."""
    found = []
    for method, address, rest in questions(guarded):
        answer = person.ask(method, address, headers={"Accept": "text/html, */*"}, **rest)
        told = (
            answer.text
            + json.dumps(dict(answer.headers))
            + str([dict(one.headers) for one in answer.history])
        )
        given = address + json.dumps(rest, default=repr)
        found += [
            f"{method} {address} tells the {name}"
            for name, secret in guarded.secrets.items()
            if secret in told and secret not in given
        ]
        if guarded.weights in answer.content or guarded.xorb.chunks[0] in answer.content:
            found.append(f"{method} {address} gives the bytes")
        if '"actions"' in answer.text or "accessToken" in answer.text:
            found.append(f"{method} {address} gives an address or a token")
    return found


def close(hub: RunningHub, ann: Person, guarded: Guarded, **settings: object) -> None:
    body = {"private": False, "gated": False, **settings}
    assert ann.ask("PUT", f"/api/models/{guarded.repo_id}/settings", json=body).ok


CLOSED = {
    "gated": {"gated": "manual"},
    "gated, asked": {"gated": "auto"},
    "private": {"private": True},
    "protected": {"visibility": "protected", "private": None},
}


@pytest.mark.parametrize("closed", ["gated", "private", "protected"])
@pytest.mark.parametrize("stranger", ["anybody", "bob"])
def test_no_answer_tells_anything_of_the_content(
    hub: RunningHub, ann: Person, guarded: Guarded, closed: str, stranger: str, request: pytest.FixtureRequest
) -> None:
    close(hub, ann, guarded, **CLOSED[closed])
    person: Person = request.getfixturevalue(stranger)
    assert leaks(person, guarded) == []
    answer = person.post(f"/hf-inference/models/{guarded.repo_id}", json={"inputs": "x"})
    assert answer.status_code in (401, 403, 404)


def test_these_questions_would_tell(hub: RunningHub, ann: Person, anybody: Person, guarded: Guarded) -> None:
    """The proof that the test above asks the right things: of an open repository everything is told."""
    close(hub, ann, guarded)
    told = " ".join(leaks(anybody, guarded))
    assert [name for name in guarded.secrets if f"tells the {name}" not in told] == []
    assert "gives the bytes" in told and "gives an address or a token" in told


def test_the_owner_still_reads_what_he_closed(
    hub: RunningHub, ann: Person, reading_ann: Person, guarded: Guarded
) -> None:
    for settings in CLOSED.values():
        close(hub, ann, guarded, **settings)
        for person in (ann, reading_ann):
            assert person.get(f"/{guarded.repo_id}/resolve/main/notes.txt").content == TEXT
            assert (
                "only for readers"
                in person.get(f"/api/models/{guarded.repo_id}/discussions/1").json()["diff"]
            )


def test_clients_are_told_that_they_have_to_ask(
    hub: RunningHub, ann: Person, guarded: Guarded, api: HfApi
) -> None:
    close(hub, ann, guarded, gated="auto")
    bob = HfApi(endpoint=hub.endpoint, token=OTHER)
    for ask in (
        lambda: bob.hf_hub_download(guarded.repo_id, "notes.txt"),
        lambda: list(bob.list_repo_tree(guarded.repo_id)),
        lambda: bob.get_paths_info(guarded.repo_id, ["notes.txt"]),
        lambda: bob.upload_file(
            path_or_fileobj=b"x", path_in_repo="x", repo_id=guarded.repo_id, create_pr=True
        ),
        lambda: bob.auth_check(guarded.repo_id),
    ):
        with pytest.raises(GatedRepoError):
            ask()
    info = bob.model_info(guarded.repo_id, files_metadata=True)
    assert info.gated == "auto" and info.pipeline_tag == "text-classification"
    assert {one.rfilename for one in info.siblings or []} >= {"notes.txt", "x.bin"}
    assert [one.title for one in bob.get_repo_discussions(guarded.repo_id)] == ["change"]
    details = bob.get_discussion_details(guarded.repo_id, 1)
    assert details.diff == "" and details.is_pull_request
    bob.comment_discussion(guarded.repo_id, 1, "may I read this?")


def test_a_grant_opens_and_its_end_closes(
    hub: RunningHub, ann: Person, bob: Person, guarded: Guarded
) -> None:
    close(hub, ann, guarded, gated="auto")
    repo_id = guarded.repo_id
    assert bob.post(f"/{repo_id}/ask-access").json() == {"status": "accepted"}
    assert bob.get(f"/{repo_id}/resolve/main/notes.txt").content == TEXT
    assert "only for readers" in bob.get(f"/api/models/{repo_id}/discussions/1").json()["diff"]
    writing, reading = Store.of(bob, repo_id), Store.of(bob, repo_id, "read")
    assert reading.reconstruct(guarded.xorb.file_name).ok
    fetch = reading.reconstruct(guarded.xorb.file_name).json()["fetch_info"][guarded.xorb.name][0]
    download = bob.get(f"/{repo_id}/resolve/main/x.bin", allow_redirects=False).headers["Location"]

    shelf = hub.hub.catalogue.get(RepoId("models", *repo_id.split("/")))
    assert shelf is not None
    shelf.update(lambda record: record.model_copy(update={"granted": ()}))
    for store in (writing, reading):
        assert store.reconstruct(guarded.xorb.file_name).status_code in (401, 403)
    assert writing.send_xorb(Xorb((b"more",))).status_code == 403
    for address in (fetch["url"], download):
        assert requests.get(address, timeout=10).status_code == 403


@pytest.mark.parametrize("scope", ["read", "write"])
def test_tokens_of_an_open_repository_end_when_it_closes(
    hub: RunningHub, ann: Person, bob: Person, guarded: Guarded, scope: str
) -> None:
    close(hub, ann, guarded)
    store = Store.of(bob, guarded.repo_id, scope)
    assert store.reconstruct(guarded.xorb.file_name).ok
    for settings in CLOSED.values():
        close(hub, ann, guarded, **settings)
        assert store.reconstruct(guarded.xorb.file_name).status_code in (401, 403)


def test_a_static_space_that_is_private_shows_nothing(
    hub: RunningHub, api: HfApi, bob: Person, anybody: Person
) -> None:
    api.create_repo("ann/page", repo_type="space", space_sdk="static", private=True)
    api.upload_file(path_or_fileobj=TEXT, path_in_repo="index.html", repo_id="ann/page", repo_type="space")
    for person in (bob, anybody):
        for address in ("/spaces/ann/page/app/", "/spaces/ann/page/app/index.html", "/spaces/ann/page"):
            answer = person.get(address)
            assert answer.status_code in (401, 404) and TEXT not in answer.content
    with pytest.raises(RepositoryNotFoundError):
        HfApi(endpoint=hub.endpoint, token=OTHER).space_info("ann/page")

"""Xet names things by hashes: they are computed, nothing is overwritten, contributors' chunks lie apart."""

from __future__ import annotations

import os
import random
from pathlib import Path

import hf_xet
import pytest
import requests
from huggingface_hub import HfApi

from local_hub import RunningHub
from local_hub.names import RepoId
from local_hub.xet_hashes import chunk_hash, file_hash
from tests.attacks.clients import client
from tests.attacks.people import Person, large, sha256
from tests.attacks.xet_files import Store, Xorb, shard
from tests.local_hub.accounts import OTHER, WRITE


def stored(hub: RunningHub, repo_id: str, kind: str) -> set[str]:
    shelf = hub.hub.catalogue.get(RepoId("models", *repo_id.split("/")))
    assert shelf is not None
    return {path.name for path in shelf.folder.glob(f"**/xet/{kind}/*")}


def test_hashes_are_those_of_the_published_client(tmp_path: Path) -> None:
    """A file below the client's smallest chunk is one chunk; larger ones are compared in the next test."""
    for size in (1, 7, 500, 8191):
        content = random.Random(size).randbytes(size)
        path = tmp_path / str(size)
        path.write_bytes(content)
        assert file_hash([(chunk_hash(content), size)]) == hf_xet.hash_files([str(path)])[0].hash


def test_the_published_client_goes_through_many_chunks(
    hub: RunningHub, api: HfApi, tmp_path: Path, repo_id: str
) -> None:
    """A file of dozens of chunks, some of them compressed and some repeated: client and server agree."""
    api.create_repo(repo_id)
    noise = random.Random(1).randbytes(1_500_000)
    content = noise + b"the same line\n" * 60_000 + noise[:700_000] + bytes(range(256)) * 2000
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "w.bin").write_bytes(content)
    client(hub, tmp_path / "a", WRITE, "upload", repo_id, "w.bin")
    head = requests.head(f"{hub.endpoint}/{repo_id}/resolve/main/w.bin", timeout=10)
    assert head.headers["X-Xet-Hash"] == hf_xet.hash_files([str(tmp_path / "a" / "w.bin")])[0].hash
    assert client(hub, tmp_path / "b", OTHER, "download", repo_id, "w.bin") == content


@pytest.fixture
def victim(api: HfApi, ann: Person, repo_id: str) -> tuple[str, Xorb]:
    """Ann's repository with a file that came by Xet."""
    api.create_repo(repo_id)
    xorb = Xorb((os.urandom(400), os.urandom(300), os.urandom(200)))
    assert Store.of(ann, repo_id).send_file(xorb).ok
    assert ann.commit(repo_id, large("w.bin", xorb.content)).ok
    return repo_id, xorb


def test_a_xorb_must_hash_to_its_name(hub: RunningHub, api: HfApi, ann: Person, repo_id: str) -> None:
    api.create_repo(repo_id)
    real = Xorb((os.urandom(400), os.urandom(300)))
    store = Store.of(ann, repo_id)
    lies = [
        Xorb((os.urandom(400), os.urandom(300))),
        Xorb(real.chunks[::-1]),
        Xorb((real.content,)),
        Xorb(real.chunks[:1]),
        Xorb((*real.chunks, b"more")),
    ]
    for lie in lies:
        answer = store.send_xorb(lie, name=real.name)
        assert answer.status_code == 400 and "not what its name says" in answer.json()["error"]
    assert stored(hub, repo_id, "xorbs") == set()
    assert store.send_xorb(real).json() == {"was_inserted": True}
    assert store.send_xorb(real).json() == {"was_inserted": False}


def test_what_follows_the_chunks_is_not_kept(hub: RunningHub, api: HfApi, ann: Person, repo_id: str) -> None:
    api.create_repo(repo_id)
    xorb, store = Xorb((os.urandom(400),)), Store.of(ann, repo_id)
    body = xorb.to_bytes() + b"XETBLOB" + os.urandom(5000)
    assert store.ask("POST", f"/v1/xorbs/default/{xorb.name}", body).ok
    shelf = hub.hub.catalogue.get(RepoId("models", *repo_id.split("/")))
    assert shelf and shelf.xet.xorb_path(xorb.name).read_bytes() == xorb.to_bytes()


def test_a_file_must_hash_to_its_name(
    hub: RunningHub, ann: Person, bob: Person, victim: tuple[str, Xorb], tmp_path: Path
) -> None:
    """A writer names the hash of another's file, of this repository or of his own."""
    repo_id, real = victim
    poison = Xorb((os.urandom(900),))
    for person, place in ((ann, repo_id), (bob, repo_id), (bob, "bob/poison")):
        person.post("/api/repos/create", json={"name": "poison"})
        store = Store.of(person, place)
        assert store.send_xorb(poison).ok
        for terms in ([(poison.name, 900, 0, 1)], [(poison.name, 900, 0, 1), (poison.name, 900, 0, 1)]):
            answer = store.ask("POST", "/v1/shards", shard(real.file_name, terms))
            assert answer.status_code == 400 and "not what its name says" in answer.json()["error"]
    assert client(hub, tmp_path / "home", OTHER, "download", repo_id, "w.bin") == real.content


def test_a_shard_cannot_claim_another_sha256(hub: RunningHub, ann: Person, victim: tuple[str, Xorb]) -> None:
    repo_id, real = victim
    terms = [(real.name, 900, 0, 3)]
    answer = Store.of(ann, repo_id).ask("POST", "/v1/shards", shard(real.file_name, terms, sha256(b"other")))
    assert answer.status_code == 400 and "not what was announced" in answer.json()["error"]
    assert hub.hub.objects.size(sha256(b"other")) is None


@pytest.mark.parametrize("term", [(0, 4, 900), (3, 4, 10), (0, 3, 901), (0, 2, 900), (1, 3, 500)])
def test_terms_must_be_chunks_that_are_there(
    ann: Person, victim: tuple[str, Xorb], term: tuple[int, int, int]
) -> None:
    repo_id, real = victim
    start, end, length = term
    terms = [(real.name, length, start, end)]
    assert Store.of(ann, repo_id).ask("POST", "/v1/shards", shard(real.file_name, terms)).status_code == 400


def test_nothing_that_stands_is_overwritten(hub: RunningHub, ann: Person, victim: tuple[str, Xorb]) -> None:
    """The same chunks cut into other xorbs make the same file; what was written first stays."""
    repo_id, real = victim
    store = Store.of(ann, repo_id)
    before = store.reconstruct(real.file_name).json()["terms"]
    parts = [Xorb((chunk,)) for chunk in real.chunks]
    assert all(store.send_xorb(part).ok for part in parts)
    terms = [(part.name, len(part.content), 0, 1) for part in parts]
    assert store.ask("POST", "/v1/shards", shard(real.file_name, terms)).ok
    assert store.reconstruct(real.file_name).json()["terms"] == before


def test_files_that_another_request_writes_are_not_counted(
    hub: RunningHub, ann: Person, victim: tuple[str, Xorb]
) -> None:
    repo_id, real = victim
    shelf = hub.hub.catalogue.get(RepoId("models", *repo_id.split("/")))
    assert shelf
    for kind in ("names", "xorbs", "recipes"):
        (shelf.folder / "xet" / kind / f".{sha256(b'new')}.1f.tmp").write_text("half", encoding="ascii")
    terms = [(real.name, 900, 0, 3)]
    assert Store.of(ann, repo_id).ask("POST", "/v1/shards", shard(real.file_name, terms)).ok


def test_contributors_chunks_lie_apart(
    hub: RunningHub, ann: Person, bob: Person, victim: tuple[str, Xorb], tmp_path: Path
) -> None:
    repo_id, real = victim
    mine, theirs = Store.of(ann, repo_id), Store.of(bob, repo_id)
    assert mine.address != theirs.address  # clients remember by address what they need not send again
    assert theirs.send_xorb(real).json() == {"was_inserted": True}
    draft = Xorb((os.urandom(500),))  # Ann's, not published
    assert mine.send_file(draft).ok
    terms = [(draft.name, 500, 0, 1)]
    answer = theirs.ask("POST", "/v1/shards", shard(draft.file_name, terms))
    assert answer.status_code == 400 and "was not uploaded" in answer.json()["error"]
    assert theirs.reconstruct(draft.file_name).status_code == 404
    assert bob.commit(repo_id, large("draft.bin", draft.content), pr=True).status_code == 400

    proposal = Xorb(tuple(os.urandom(1) for _ in range(300)))  # a nuisance to download chunk by chunk
    assert theirs.send_file(proposal).ok
    assert bob.commit(repo_id, large("proposal.bin", proposal.content), pr=True).ok
    assert ann.commit(repo_id, large("proposal.bin", proposal.content)).ok
    head = requests.head(f"{hub.endpoint}/{repo_id}/resolve/main/proposal.bin", timeout=10)
    assert "X-Xet-Hash" not in head.headers
    assert client(hub, tmp_path / "home", OTHER, "download", repo_id, "proposal.bin") == proposal.content


def test_the_published_client_proposes_and_the_proposal_is_merged(
    hub: RunningHub, ann: Person, api: HfApi, tmp_path: Path, repo_id: str
) -> None:
    """Ann and Bob on one machine, with one cache: what Ann sent is not taken for sent by Bob."""
    api.create_repo(repo_id)
    home = tmp_path / "home"
    home.mkdir()
    content = os.urandom(300_000)
    for name in ("w.bin", "pr-w.bin"):
        (home / name).write_bytes(content)
    client(hub, home, WRITE, "upload", repo_id, "w.bin")
    client(hub, home, OTHER, "upload", repo_id, "pr-w.bin")
    assert ann.post(f"/api/models/{repo_id}/discussions/1/merge", json={}).ok
    assert client(hub, tmp_path / "other", WRITE, "download", repo_id, "pr-w.bin") == content


def test_a_repository_that_is_made_again_is_sent_everything_again(
    hub: RunningHub, api: HfApi, tmp_path: Path, repo_id: str
) -> None:
    content, home = os.urandom(300_000), tmp_path / "home"
    home.mkdir()
    (home / "w.bin").write_bytes(content)
    for number in range(2):
        api.create_repo(repo_id)
        client(hub, home, WRITE, "upload", repo_id, "w.bin")
        assert client(hub, tmp_path / f"reader-{number}", WRITE, "download", repo_id, "w.bin") == content
        api.delete_repo(repo_id)


def test_tokens_open_one_repository_in_one_way(
    hub: RunningHub, ann: Person, bob: Person, victim: tuple[str, Xorb]
) -> None:
    repo_id, real = victim
    reading = Store.of(bob, repo_id, "read")
    assert reading.send_xorb(Xorb((b"x",))).status_code == 403
    bob.post("/api/repos/create", json={"name": "own"})
    own = Store.of(bob, "bob/own")
    astray = Store(f"{hub.endpoint}/_hub/xet/models/{repo_id}", own.token)
    assert astray.send_xorb(Xorb((b"x",))).status_code == 403
    assert own.reconstruct(real.file_name).status_code == 404


def test_an_address_opens_its_own_bytes_only(ann: Person, bob: Person, api: HfApi, repo_id: str) -> None:
    """Files share xorbs; who may read one of them is not given the others."""
    api.create_repo(repo_id)
    shared, store = Xorb((b"public" * 50, b"unpublished" * 50)), Store.of(ann, repo_id)
    assert store.send_xorb(shared).ok
    public = Xorb(shared.chunks[:1])
    assert store.ask("POST", "/v1/shards", shard(public.file_name, [(shared.name, 300, 0, 1)])).ok
    assert ann.commit(repo_id, large("public.bin", public.content)).ok
    answer = Store.of(bob, repo_id, "read").reconstruct(public.file_name).json()
    fetch = answer["fetch_info"][shared.name][0]
    first, last = fetch["url_range"]["start"], fetch["url_range"]["end"]
    own = requests.get(fetch["url"], headers={"Range": f"bytes={first}-{last}"}, timeout=10)
    assert own.status_code == 206 and own.content[8:] == public.content
    for span in (None, f"bytes={first}-{last + 1}", f"bytes={last + 1}-", "bytes=-10"):
        more = requests.get(fetch["url"], headers={"Range": span} if span else {}, timeout=10)
        assert more.status_code == 403 and b"unpublished" not in more.content
    other = fetch["url"].replace(shared.name, public.name)
    assert requests.get(other, timeout=10).status_code == 403


def test_what_was_kept_before_hashes_were_checked_is_not_believed(
    hub: RunningHub, ann: Person, victim: tuple[str, Xorb]
) -> None:
    """A root of an older Hub may hold a xorb that is not what its name says."""
    repo_id, _ = victim
    shelf = hub.hub.catalogue.get(RepoId("models", *repo_id.split("/")))
    assert shelf is not None
    real, poison, store = Xorb((os.urandom(100),)), Xorb((os.urandom(100),)), Store.of(ann, repo_id)
    (shelf.folder / "xet" / "xorbs" / real.name).write_bytes(poison.to_bytes())
    terms = [(real.name, 100, 0, 1)]
    assert store.ask("POST", "/v1/shards", shard(real.file_name, terms)).status_code == 400
    assert store.send_xorb(real).json() == {"was_inserted": True}
    assert store.ask("POST", "/v1/shards", shard(real.file_name, terms)).ok
    assert hub.hub.objects.path(sha256(real.content)).read_bytes() == real.content

"""What small requests could cost: memory, disk, threads, connections."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import socket
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests
from dulwich.objects import Blob, Tree

from local_hub import HubSettings, RunningHub, TokenGrant, running_hub
from local_hub.errors import HubError
from local_hub.last_commits import LastCommits
from local_hub.packs import PackLimits, check_push_body
from local_hub.repository import Repository
from local_hub.trees import Change, Signature
from local_hub.unfolding import FileRecipe, Term, allowance, check_unfolding
from local_hub.xet import read_chunks
from tests.attacks.packs import pack_of, push_body, push_of_tree
from tests.attacks.watched import HEADERS, TOKEN, growth_of, served

MEGABYTE = 1 << 20
GRANTS = (TokenGrant("ann", "write", TOKEN),)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, psutil.Process]]:
    with served(tmp_path_factory.mktemp("served") / "hub") as running:
        requests.post(f"{running[0]}/api/repos/create", json={"name": "m"}, headers=HEADERS, timeout=30)
        yield running


# packs and gzip


def push_of(blobs: list[bytes], parent: bytes) -> bytes:
    """The body of a push of one commit that holds the blobs."""
    tree, objects = Tree(), [Blob.from_string(blob) for blob in blobs]
    for number, blob in enumerate(objects):
        tree.add(b"f%d.txt" % number, 0o100644, blob.id)
    return push_of_tree(tree, objects, b"refs/heads/bomb", parent)


def test_gzip_that_unfolds_is_refused_before_it_takes_memory(process: tuple[str, psutil.Process]) -> None:
    bomb = gzip.compress(b"\0" * (150 * MEGABYTE))
    assert len(bomb) < MEGABYTE
    with growth_of(process[1]) as growth:
        for service in ("git-upload-pack", "git-receive-pack"):
            headers = {**HEADERS, "Content-Encoding": "gzip"}
            url = f"{process[0]}/ann/m.git/{service}"
            assert requests.post(url, bomb, headers=headers, timeout=60).status_code in (400, 413)
    assert growth[0] < 60 * MEGABYTE


@pytest.mark.parametrize(
    "body", [b"\x1f\x8b", gzip.compress(b"0000", mtime=0)[:-3], gzip.compress(b"0000", mtime=0) + b"more"]
)
def test_gzip_that_is_cut_off_or_goes_on_is_a_bad_request(
    process: tuple[str, psutil.Process], body: bytes
) -> None:
    headers = {"Content-Encoding": "gzip"}
    url = f"{process[0]}/ann/m.git/git-upload-pack"
    assert requests.post(url, body, headers=headers, timeout=30).status_code == 400


@pytest.mark.parametrize(
    "blobs", [[b"\n" * (150 * MEGABYTE)], [b"\n" * (9 * MEGABYTE)] * 1 + [b"x"]], ids=["bomb", "fine"]
)
def test_a_pack_that_unfolds_takes_no_memory(process: tuple[str, psutil.Process], blobs: list[bytes]) -> None:
    head = requests.get(f"{process[0]}/api/models/ann/m", timeout=30).json()["sha"].encode()
    body = push_of(blobs, head)
    with growth_of(process[1]) as growth:
        answer = requests.post(f"{process[0]}/ann/m.git/git-receive-pack", body, headers=HEADERS, timeout=120)
    assert answer.status_code == (413 if len(blobs[0]) > 64 * MEGABYTE else 200)
    assert growth[0] < 100 * MEGABYTE


LIMITS = PackLimits(objects=20, object_bytes=10_000, free_bytes=50_000, ratio=1)
COPY = b"\x80\x80\x04"  # a delta of 3 bytes for a base of no bytes and a result of 65,536


PACKS = {
    "fine": (pack_of((3, 5000, zlib.compress(b"\n" * 5000))), None),
    "a large object": (pack_of((3, 10_001, zlib.compress(b"\n" * 10_001))), 413),
    "longer than it says": (pack_of((3, 100, zlib.compress(b"\n" * 5_000_000))), 400),
    "shorter than it says": (pack_of((3, 100, zlib.compress(b"\n" * 50))), 400),
    "many together": (pack_of(*[(3, 9000, zlib.compress(b"\n" * 9000))] * 7), 413),
    "too many": (pack_of(*[(3, 1, zlib.compress(b"\n"))] * 21), 413),
    "a delta that copies": (pack_of((7, 4, b"x" * 20 + zlib.compress(b"\0" + COPY))), 413),
    "a delta by offset": (pack_of((6, 4, b"\x05" + zlib.compress(b"\0" + COPY))), 413),
    "a delta without sizes": (pack_of((7, 1, b"x" * 20 + zlib.compress(b"\xff"))), 400),
    "cut off": (pack_of((3, 5000, zlib.compress(b"\n" * 5000)[:-8]))[:-20], 400),
    "no zlib": (pack_of((3, 5000, b"no zlib at all")), 400),
    "endless": (b"PACK" + (2).to_bytes(4, "big") + (2**32 - 1).to_bytes(4, "big"), 413),
    "a mark alone": (b"PACK", 400),
    "nothing": (b"", None),
}


@pytest.mark.parametrize("kind", PACKS)
def test_a_pack_is_counted_before_it_is_read(kind: str) -> None:
    pack, status = PACKS[kind]
    body = io.BytesIO(push_body(b"1" * 40, b"refs/heads/main", pack))
    if status is None:
        check_push_body(body, LIMITS)
    else:
        with pytest.raises(HubError) as raised:
            check_push_body(body, LIMITS)
        assert raised.value.status == status
    assert body.tell() == 0


# Xet and multipart


def recipe(*terms: tuple[int, int, int]) -> FileRecipe:
    return FileRecipe("f" * 64, tuple(Term("a" * 64, *term) for term in terms), None)


def ends_of(xorb: str) -> list[int]:
    """A xorb of sixteen chunks of 64 KiB."""
    return [(number + 1) << 16 for number in range(16)]


@pytest.mark.parametrize(
    ("terms", "status"),
    [
        ([(1 << 20, 0, 16)], None),
        ([(1 << 16, 3, 4), (2 << 16, 4, 6)], None),
        ([(1, 0, 16)], 400),  # says one byte, has a mebibyte
        ([(1 << 20, 0, 17)], 400),
        ([(1 << 16, 16, 17)], 400),
        ([(1, 2**32 - 2, 2**32 - 1)], 400),
        ([(1, 0, 2**32 - 1)] * 3, 400),
        ([(1 << 20, 0, 16)] * 3000, 413),
        ([(2**32 - 1, 0, 16)], 413),
    ],
)
def test_terms_are_measured_before_a_byte_is_written(
    terms: list[tuple[int, int, int]], status: int | None
) -> None:
    if status is None:
        check_unfolding([recipe(*terms)], ends_of, budget=allowance(0))
        return
    with pytest.raises(HubError) as raised:
        check_unfolding([recipe(*terms)], ends_of, budget=allowance(0))
    assert raised.value.status == status


def test_the_files_of_a_shard_count_together_and_with_those_before() -> None:
    files = [recipe(*[(1 << 20, 0, 16)] * 10)] * 60
    check_unfolding(files, ends_of, budget=allowance(0))
    for many, budget in ((files * 3, allowance(0)), (files, allowance(0) - (500 << 20))):
        with pytest.raises(HubError, match="unfold to far more"):
            check_unfolding(many, ends_of, budget=budget)


@pytest.mark.parametrize("chunk", [b"\0" * 8, b"\0\0\0\0\0\0\0\x01"], ids=["empty", "unpacked"])
def test_a_xorb_of_headers_alone_is_refused(tmp_path: Path, chunk: bytes) -> None:
    path = tmp_path / "xorb"
    path.write_bytes(chunk * MEGABYTE)
    with pytest.raises(HubError, match=r"at most|too large"):
        read_chunks(path)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    root = tmp_path_factory.mktemp("bounds") / "hub"
    sizes = {"multipart_threshold": MEGABYTE, "part_size": MEGABYTE}
    with running_hub(HubSettings(root, tokens=GRANTS, patience=0.8, xet=False, **sizes)) as running:
        requests.post(f"{running.endpoint}/api/repos/create", json={"name": "m"}, headers=HEADERS, timeout=30)
        yield running


def start_multipart(hub: RunningHub, size: int, oid: str) -> tuple[str, dict[str, str]]:
    body = {"operation": "upload", "transfers": ["multipart"], "objects": [{"oid": oid, "size": size}]}
    url = f"{hub.endpoint}/ann/m.git/info/lfs/objects/batch"
    action = requests.post(url, json=body, headers=HEADERS, timeout=30).json()["objects"][0]["actions"][
        "upload"
    ]
    return action["href"], action["header"]


def incoming_bytes(hub: RunningHub) -> int:
    files = (path for path in hub.hub.incoming.rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files)


def test_parts_never_take_more_than_the_upload(hub: RunningHub) -> None:
    size = 5 * MEGABYTE // 2
    content = os.urandom(size)
    oid = hashlib.sha256(content).hexdigest()
    complete, parts = start_multipart(hub, size, oid)
    first = parts["00001"]
    for number in ("4", "99999", "0", "-1", "1e3"):
        url = first.replace("&part=1", f"&part={number}")
        assert requests.put(url, b"x" * 1000, timeout=30).status_code == 400
    assert requests.put(parts["00003"], b"x" * MEGABYTE, timeout=30).status_code == 413
    assert incoming_bytes(hub) == 0
    etags = []
    for attempt in (b"wrong" * 1000, b"wrong again" * 1000, None):
        etags = []
        for number in range(3):
            piece = attempt or content[number * MEGABYTE : (number + 1) * MEGABYTE]
            etags.append(requests.put(parts[f"{number + 1:05d}"], piece, timeout=30).headers["ETag"])
    assert incoming_bytes(hub) == size
    again = [{"partNumber": 1, "etag": etags[0]}] * 5000
    answer = requests.post(complete, json={"oid": oid, "parts": again}, timeout=60)
    assert answer.status_code == 400
    assert "larger than" in answer.json()["error"]
    whole = [{"partNumber": number + 1, "etag": etag} for number, etag in enumerate(etags)]
    assert requests.post(complete, json={"oid": oid, "parts": whole}, timeout=30).status_code == 200
    assert incoming_bytes(hub) == 0


def test_objects_for_which_there_is_no_room_are_not_begun(hub: RunningHub) -> None:
    free = shutil.disk_usage(hub.hub.incoming).free
    for sizes, status in (([10], 200), ([free + MEGABYTE], 507), ([free // 3] * 4, 507)):
        objects = [{"oid": f"{number:064x}", "size": size} for number, size in enumerate(sizes)]
        url = f"{hub.endpoint}/ann/m.git/info/lfs/objects/batch"
        body = {"operation": "upload", "objects": objects}
        assert requests.post(url, json=body, headers=HEADERS, timeout=30).status_code == status


# connections


def connect(hub: RunningHub) -> socket.socket:
    address = urlsplit(hub.endpoint)
    return socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10)


def drip(connection: socket.socket, start: bytes, piece: bytes) -> bytes:
    """Send the start, then a piece every tenth of a second until the server has had enough; its answer."""
    connection.sendall(start)
    connection.settimeout(0.1)
    answer, deadline = b"", time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            received = connection.recv(65536)
            if not received:
                return answer
            answer += received
        except TimeoutError:
            pass
        except ConnectionError:
            return answer
        if piece:
            try:
                connection.sendall(piece)
            except OSError:
                return answer
    raise AssertionError("the server still waits")


SLOW: dict[str, tuple[bytes, bytes]] = {
    "nothing": (b"", b""),
    "half a line": (b"GET / HT", b""),
    "headers that never end": (b"GET / HTTP/1.1\r\nHost: x\r\n", b"X-A: b\r\n"),
    "headers byte by byte": (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ", b"b"),
    "headers after an answer": (
        b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\n",
        b"X-A: b\r\n",
    ),
    "no body": (b"POST /api/validate-yaml HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n", b""),
    "a body byte by byte": (
        b"POST /api/validate-yaml HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n",
        b"x",
    ),
    "chunks without end": (
        b"POST /api/validate-yaml HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1\r\nx\r\n",
    ),
    "a body that nobody reads": (
        b"GET /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n",
        b"x",
    ),
}


@pytest.mark.parametrize("kind", SLOW)
def test_a_slow_client_is_not_waited_for(hub: RunningHub, kind: str) -> None:
    start, piece = SLOW[kind]
    with connect(hub) as connection:
        answer = drip(connection, start, piece)
    if start.startswith(b"POST"):
        assert answer.startswith(b"HTTP/1.1 408")


def test_a_client_that_does_not_read_is_let_go(hub: RunningHub) -> None:
    content = b"0" * (9 * MEGABYTE)
    oid = hub.hub.catalogue.all()[0].repository
    head = oid.resolve("main")
    commit = oid.write_commit((head,), [Change("big.txt", oid.add_blob(content))], Signature("ann", "big"))
    oid.point("refs/heads/main", commit, head)
    with connect(hub) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        path = f"/api/resolve-cache/models/ann/m/{commit}/big.txt"
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        ports = (urlsplit(hub.endpoint).port, connection.getsockname()[1])
        assert wait_until(lambda: ports in open_connections())
        assert wait_until(lambda: ports not in open_connections())


def open_connections() -> set[tuple[int, int]]:
    """The ports of both ends of every socket that this process has open and connected."""
    known = psutil.Process().net_connections("tcp4")
    return {(one.laddr.port, one.raddr.port) for one in known if one.status == psutil.CONN_ESTABLISHED}


def wait_until(happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.02)
    return happened()


def test_an_honest_client_may_pause(hub: RunningHub) -> None:
    body = b'{"content": "# A"}'
    start = b"POST /api/validate-yaml HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
    with connect(hub) as connection:
        connection.sendall(start[:20])
        time.sleep(0.3)
        connection.sendall(start[20:])
        for place in range(0, len(body), 9):
            time.sleep(0.3)
            connection.sendall(body[place : place + 9])
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_half_open_sockets_do_not_keep_others_out(tmp_path: Path) -> None:
    with served(tmp_path / "hub", files=256) as (endpoint, process):
        address = urlsplit(endpoint)
        where = (str(address.hostname), int(address.port or 0))
        held = []
        try:
            for number in range(400):
                connection = socket.create_connection(where, timeout=10)
                connection.sendall(
                    b"POST /api/validate-yaml HTTP/1.1\r\nContent-Length: 99\r\nHost: localhost\r\n"
                )
                connection.sendall(b"\r\nx" if number % 2 else b"")
                held.append(connection)
            for _ in range(5):
                started = time.monotonic()
                assert requests.get(f"{endpoint}/api/models", timeout=20).status_code == 200
                assert time.monotonic() - started < 5
            assert process.num_fds() < 200
        finally:
            for connection in held:
                connection.close()


# histories


class Counted:
    """A store that counts what is read from it."""

    def __init__(self, repository: Repository) -> None:
        self._repository, self.reads = repository, 0

    def __getitem__(self, oid: bytes) -> object:
        self.reads += 1
        with self._repository.git() as repo:
            return repo.object_store[oid]

    def get_raw(self, oid: bytes) -> object:
        self.reads += 1
        with self._repository.git() as repo:
            return repo.object_store.get_raw(oid)


@pytest.fixture
def long_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Repository, str]:
    """300 commits over 60 files, of which half never change."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    folder = tmp_path / "m.git"
    folder.mkdir()
    repository = Repository.init(folder)
    names = [f"f{number:02d}" for number in range(60)]
    oid = repository.write_commit(
        (), [Change(name, repository.add_blob(name.encode())) for name in names], Signature("a", "0")
    )
    for number in range(300):
        change = Change(names[number % 30], repository.add_blob(b"%d" % number))
        oid = repository.write_commit((oid,), [change], Signature("a", f"{number}"))
    return repository, oid


def test_the_last_commits_of_a_folder_are_found_in_one_walk(long_history: tuple[Repository, str]) -> None:
    repository, oid = long_history
    paths = {entry.path for entry in repository.entries(oid)}
    store, finder = Counted(repository), LastCommits()
    found = finder.find(store, oid, paths)  # type: ignore[arg-type]
    assert {found[f"f{number:02d}"].title for number in range(30)} == {
        str(270 + number) for number in range(30)
    }
    assert {found[f"f{number:02d}"].title for number in range(30, 60)} == {"0"}
    assert store.reads <= 2 * 301
    newer = repository.write_commit(
        (oid,), [Change("f01", repository.add_blob(b"new"))], Signature("a", "new")
    )
    store.reads = 0
    assert finder.find(store, newer, paths) == {**found, "f01": repository.commit_facts(newer)}  # type: ignore[arg-type]
    assert store.reads <= 6


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_a_push_of_many_tags_is_quick(process: tuple[str, psutil.Process], tmp_path: Path) -> None:
    url = process[0].replace("://", f"://ann:{TOKEN}@") + "/ann/m"
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", url, str(folder)], check=True, capture_output=True)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True
    )
    lines = "".join(f"create refs/tags/v{number} {head.stdout.strip()}\n" for number in range(300))
    subprocess.run(["git", "update-ref", "--stdin"], cwd=folder, check=True, input=lines, text=True)
    started = time.monotonic()
    subprocess.run(["git", "push", "-q", "--tags"], cwd=folder, check=True, capture_output=True, timeout=120)
    assert time.monotonic() - started < 30
    refs = requests.get(f"{process[0]}/api/models/ann/m/refs", timeout=30).json()
    assert len(refs["tags"]) == 300

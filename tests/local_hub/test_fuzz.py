from __future__ import annotations

import base64
import gzip
import hashlib
import http.client
import io
import json
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from local_hub import HubSettings, RunningHub, running_hub
from local_hub.errors import HubError
from local_hub.packs import PackLimits, check_push_body
from tests.attacks.packs import pack_of, push_body
from tests.local_hub.accounts import GRANTS, WRITE

BEARER = {"Authorization": f"Bearer {WRITE}"}
OID = "0" * 64
fuzzed = settings(max_examples=120, deadline=None, derandomize=True, database=None)

nasty = st.sampled_from(
    [
        "..",
        "../..",
        "/etc/passwd",
        "a/../../b",
        ".git/config",
        "a\x00b",
        "\ud800",
        "a" * 300,
        "a/" * 600,
        "%2e%2e",
        "",
        ".",
    ]
)
paths = st.one_of(nasty, st.text(max_size=40))
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), paths)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
contents = st.one_of(
    st.binary(max_size=60).map(lambda raw: base64.b64encode(raw).decode()), st.text(max_size=20)
)
operations = st.one_of(
    st.fixed_dictionaries({"key": st.just("header"), "value": st.dictionaries(st.just("summary"), scalars)}),
    st.fixed_dictionaries(
        {"key": st.just("file"), "value": st.fixed_dictionaries({"path": paths, "content": contents})}
    ),
    st.fixed_dictionaries(
        {
            "key": st.just("lfsFile"),
            "value": st.fixed_dictionaries(
                {"path": paths, "oid": st.one_of(st.just(OID), paths), "size": scalars}
            ),
        }
    ),
    st.fixed_dictionaries(
        {
            "key": st.sampled_from(["deletedFile", "deletedFolder", "unknown"]),
            "value": st.fixed_dictionaries({"path": paths}),
        }
    ),
    values,
)


@pytest.fixture(scope="module")
def fuzz_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    around = tmp_path_factory.mktemp("around")
    (around / "secret.txt").write_text("outside", encoding="utf-8")
    with running_hub(HubSettings(around / "root", tokens=GRANTS)) as running:
        body = {"name": "fuzz"}
        requests.post(f"{running.endpoint}/api/repos/create", json=body, headers=BEARER, timeout=10)
        yield running
    assert sorted(path.name for path in around.iterdir()) == ["root", "secret.txt"]
    assert (around / "secret.txt").read_text(encoding="utf-8") == "outside"
    known = {"incoming", "key", "lock", "objects", "repositories"}
    assert {path.name for path in (around / "root").iterdir()} == known
    stray = [path for path in (around / "root").rglob("*") if path.is_symlink()]
    assert stray == []


def send(
    server: RunningHub, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """Send exactly this target: requests would tidy it up."""
    connection = http.client.HTTPConnection(urlsplit(server.endpoint).netloc, timeout=20)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in {**BEARER, **(headers or {}), "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def encode(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="/%")


def check(status: int, content: bytes) -> None:
    assert status < 500, content
    assert b"Traceback" not in content
    assert b"outside" not in content


@fuzzed
@given(
    st.lists(operations, max_size=4), st.sampled_from(["main", "refs%2Fpr%2F1", "none", ".."]), st.booleans()
)
def test_commits(fuzz_server: RunningHub, lines: list[object], revision: str, as_pull: bool) -> None:
    body = "\n".join(json.dumps(line) for line in lines).encode()
    query = "?create_pr=1" if as_pull else ""
    check(*send(fuzz_server, "POST", f"/api/models/ann/fuzz/commit/{revision}{query}", body))


@fuzzed
@given(st.binary(max_size=200))
def test_commits_of_bytes(fuzz_server: RunningHub, body: bytes) -> None:
    check(*send(fuzz_server, "POST", "/api/models/ann/fuzz/commit/main", body))


@fuzzed
@given(
    paths,
    paths,
    st.one_of(st.none(), st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=30)),
)
def test_resolve(fuzz_server: RunningHub, revision: str, path: str, span: str | None) -> None:
    headers = {"Range": span} if span else {}
    for target in (
        f"/ann/fuzz/resolve/{encode(revision)}/{encode(path)}",
        f"/ann/fuzz/resolve/main/{encode(path)}",
    ):
        for method in ("GET", "HEAD"):
            check(*send(fuzz_server, method, target, headers=headers))


@fuzzed
@given(values, st.sampled_from(["upload", "download"]), paths)
def test_large_files(fuzz_server: RunningHub, value: object, operation: str, text: str) -> None:
    objects = [{"oid": OID, "size": 3}, {"oid": text, "size": 1}]
    for body in (
        value,
        {"operation": operation, "objects": value},
        {"operation": operation, "objects": objects},
    ):
        raw = json.dumps(body).encode()
        check(*send(fuzz_server, "POST", "/ann/fuzz.git/info/lfs/objects/batch", raw))
    for method in ("PUT", "GET"):
        check(*send(fuzz_server, method, f"/_hub/large/{encode(text)}?signature={encode(text)}", b"abc"))
    check(
        *send(
            fuzz_server, "POST", f"/_hub/multipart/{OID}?signature={encode(text)}", json.dumps(value).encode()
        )
    )
    check(*send(fuzz_server, "POST", "/ann/fuzz.git/info/lfs/objects/verify", json.dumps(value).encode()))


@fuzzed
@given(values, paths)
def test_everything_that_takes_json(fuzz_server: RunningHub, value: object, text: str) -> None:
    body = json.dumps(value).encode()
    named = json.dumps({"name": text, "tag": text, "title": text, "content": text, "paths": [text]}).encode()
    for raw in (body, named):
        for method, target in (
            ("POST", "/api/repos/create"),
            ("DELETE", "/api/repos/delete"),
            ("POST", "/api/repos/move"),
            ("POST", "/api/validate-yaml"),
            ("POST", "/api/models/ann/fuzz/preupload/main"),
            ("POST", "/api/models/ann/fuzz/paths-info/main"),
            ("PUT", "/api/models/ann/fuzz/settings"),
            ("POST", f"/api/models/ann/fuzz/branch/{encode(text)}"),
            ("POST", f"/api/models/ann/fuzz/tag/{encode(text)}"),
            ("POST", "/api/models/ann/fuzz/discussions"),
            ("POST", "/hf-inference/models/ann/fuzz"),
        ):
            check(*send(fuzz_server, method, target, raw, {"Content-Type": "application/json"}))
    for target in (
        f"/api/models/ann/fuzz/tree/{encode(text)}",
        f"/{encode(text)}/{encode(text)}",
        f"/?search={encode(text)}",
    ):
        check(*send(fuzz_server, "GET", target, headers={"Accept": "text/html"}))


@fuzzed
@given(st.binary(max_size=300), st.sampled_from(["git-upload-pack", "git-receive-pack"]))
def test_git(fuzz_server: RunningHub, body: bytes, service: str) -> None:
    check(*send(fuzz_server, "POST", f"/ann/fuzz.git/{service}", body))
    check(*send(fuzz_server, "POST", f"/ann/fuzz.git/{service}", body, {"Content-Encoding": "gzip"}))
    line = b"0" * 40 + b" " + b"1" * 40 + b" refs/heads/x\0report-status\n"
    framed = b"%04x" % (len(line) + 4) + line + b"0000" + body
    check(*send(fuzz_server, "POST", f"/ann/fuzz.git/{service}", framed))


@st.composite
def pack_objects(draw: st.DrawFn) -> tuple[int, int, bytes]:
    """One object: any kind, a size that is true or not, content that is whole or not."""
    kind, data = draw(st.integers(0, 7)), draw(st.binary(max_size=40) | st.sampled_from(TREES))
    base = {6: b"\x05", 7: b"1" * 20}.get(kind, b"")
    packed = zlib.compress(data)
    cut = draw(st.sampled_from([len(packed)] * 4 + [0, 5, len(packed) - 1]))
    size = draw(st.sampled_from([len(data)] * 6 + [0, len(data) + 1, 1 << 20, 1 << 40]))
    return kind, size, base + packed[:cut]


def id_of(given: tuple[int, int, bytes]) -> bytes:
    """The name that the object has if it is what it says."""
    kind, _, packed = given
    try:
        content = zlib.decompress(packed)
    except zlib.error:
        return b"2" * 40
    name = {1: b"commit", 2: b"tree", 4: b"tag"}.get(kind, b"blob")
    whole = name + b" %d\0" % len(content) + content
    return hashlib.sha1(whole, usedforsecurity=False).hexdigest().encode()


HEX = bytes(range(20))
TREES = [
    *(mode + b" " + name + b"\0" + HEX for mode in (b"100644", b"40000", b"120000", b"160000", b"7", b"x")
      for name in (b"a", b"", b"..", b".git", b"a/b", b"\xff", b"README.md")),
    b"tree " + b"1" * 40 + b"\nparent " + b"2" * 40 + b"\nauthor a <a@b> 0 +0000\n\nx",
    b"object " + b"1" * 40 + b"\ntype commit\ntag x\ntagger a <a@b> 0 +0000\n\nx",
]  # fmt: skip


@fuzzed
@given(st.lists(pack_objects(), max_size=5), st.data())
def test_pushes(fuzz_server: RunningHub, objects: list[tuple[int, int, bytes]], data: st.DataObject) -> None:
    """A pack of anything, asked for by an id of its own: taken or refused, and nothing else is harmed."""
    pack = pack_of(*objects)
    wanted = data.draw(st.sampled_from([b"1" * 40, *map(id_of, objects)]))
    body = push_body(wanted, b"refs/heads/x", pack)
    zipped = gzip.compress(body)
    for packed in (body, body[:-5], zipped, zipped[:-4], zipped + b"x"):
        headers = {"Content-Encoding": "gzip"} if packed[:2] == b"\x1f\x8b" else None
        check(*send(fuzz_server, "POST", "/ann/fuzz.git/git-receive-pack", packed, headers))
    assert send(fuzz_server, "GET", "/api/models/ann/fuzz/tree/main?recursive=1")[0] == 200
    assert not list((fuzz_server.hub.incoming).glob("*.quarantine"))


@fuzzed
@given(st.lists(pack_objects(), max_size=5), st.integers(0, 300))
def test_a_pack_is_measured_whatever_it_holds(objects: list[tuple[int, int, bytes]], cut: int) -> None:
    """What passes is within the bounds when zlib unpacks it, however it lies about itself."""
    limits = PackLimits(objects=4, object_bytes=1000, free_bytes=100, ratio=1)
    pack = pack_of(*objects)
    body = io.BytesIO(push_body(b"1" * 40, b"refs/heads/x", pack[:cut] if cut < 100 else pack))
    try:
        check_push_body(body, limits)
    except HubError as error:
        assert error.status in (400, 413)
    else:
        whole = cut >= 100
        assert not whole or (len(objects) <= 4 and all(size <= 1000 for _, size, _ in objects))
    assert body.tell() == 0


@fuzzed
@given(st.binary(max_size=400), st.sampled_from([b"", b"\x00" * 48]))
def test_xet(fuzz_server: RunningHub, body: bytes, start: bytes) -> None:
    token = requests.get(
        f"{fuzz_server.endpoint}/api/models/ann/fuzz/xet-write-token/main", headers=BEARER, timeout=10
    ).json()["accessToken"]
    headers = {"Authorization": f"Bearer {token}"}
    base = "/_hub/xet/models/ann/fuzz"
    check(*send(fuzz_server, "POST", f"{base}/v1/shards", start + body, headers))
    check(*send(fuzz_server, "POST", f"{base}/v1/xorbs/default/{OID}", start + body, headers))
    check(*send(fuzz_server, "GET", f"{base}/v1/reconstructions/{OID}", headers=headers))


def xet_chunk(data: bytes, length: int, scheme: int) -> bytes:
    return b"\0" + len(data).to_bytes(3, "little") + bytes([scheme]) + length.to_bytes(3, "little") + data


def test_a_decompression_bomb_does_not_unfold(tmp_path: Path) -> None:
    import lz4.frame

    from local_hub.errors import HubError
    from local_hub.objects import ObjectStore
    from local_hub.xet import FileRecipe, Term, XetStore

    bomb = lz4.frame.compress(b"\0" * 50_000_000)
    (tmp_path / "incoming").mkdir()
    store = XetStore(tmp_path, ObjectStore(tmp_path / "objects", tmp_path / "incoming"))
    for announced in (1000, 10_000_000):
        upload = store.temporary()
        upload.write_bytes(xet_chunk(bomb, announced, 1))
        recipe = FileRecipe("a" * 64, (Term(f"{announced:064x}", announced, 0, 1),), None)
        tracemalloc.start()
        with pytest.raises(HubError, match=r"length is not the announced|too large"):
            store.keep_xorb(f"{announced:064x}", upload)
            store.keep_file(recipe)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 5_000_000
    endless = FileRecipe("b" * 64, tuple(Term("c" * 64, 2**32 - 1, 0, 1) for _ in range(20)), None)
    with pytest.raises(HubError, match="over what this Hub can take"):
        store.keep_file(endless)

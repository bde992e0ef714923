"""One repository with odd or damaged contents is shown as broken, the others as ever; nothing is a 500."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from local_hub import HubSettings, RunningHub, TokenGrant, running_hub
from local_hub.catalogue import Shelf
from local_hub.names import RepoId
from local_hub.repository import Repository
from local_hub.strict_json import read_json
from local_hub.tree_cache import TreeCache
from local_hub.trees import Change, Signature
from tests.attacks.watched import HEADERS, TOKEN

GRANTS = (TokenGrant("ann", "write", TOKEN),)
HUGE = "9" * 5000


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running_hub(HubSettings(tmp_path_factory.mktemp("broken") / "hub", tokens=GRANTS)) as running:
        create(running, "fine")
        yield running


@pytest.fixture(autouse=True)
def _only_fine(hub: RunningHub) -> Iterator[None]:
    """Every test has the sound repository beside its own broken one."""
    yield
    for shelf in hub.hub.catalogue.all():
        if shelf.id.name != "fine":
            hub.hub.delete(shelf)


def create(hub: RunningHub, name: str, kind: str = "model") -> Shelf:
    body = {"name": name, "type": kind, **({"sdk": "static"} if kind == "space" else {})}
    answer = requests.post(f"{hub.endpoint}/api/repos/create", json=body, headers=HEADERS, timeout=30)
    assert answer.status_code == 200, answer.text
    shelf = hub.hub.catalogue.get(RepoId(f"{kind}s", "ann", name))  # type: ignore[arg-type]
    assert shelf
    return shelf


def write(repository: Repository, path: str, content: bytes) -> None:
    """Commit a file past all checks: what stood there before a rule was made."""
    head = repository.resolve("main")
    change = Change(path, repository.add_blob(content))
    repository.point(
        "refs/heads/main", repository.write_commit((head,), [change], Signature("ann", "x")), head
    )


def write_large(hub: RunningHub, name: str, content: bytes) -> None:
    oid = hashlib.sha256(content).hexdigest()
    body = {"operation": "upload", "objects": [{"oid": oid, "size": len(content)}]}
    batch = f"{hub.endpoint}/ann/{name}.git/info/lfs/objects/batch"
    item = requests.post(batch, json=body, headers=HEADERS, timeout=30).json()["objects"][0]
    if "actions" in item:
        assert requests.put(item["actions"]["upload"]["href"], content, timeout=30).status_code == 200
    file = {"path": "model.safetensors", "algo": "sha256", "oid": oid, "size": len(content)}
    lines = [{"key": "header", "value": {"summary": "x"}}, {"key": "lfsFile", "value": file}]
    url = f"{hub.endpoint}/api/models/ann/{name}/commit/main"
    data = "\n".join(map(json.dumps, lines)).encode()
    assert requests.post(url, data, headers=HEADERS, timeout=30).status_code == 200


def look(hub: RunningHub, name: str, *, kind: str = "models") -> dict[str, object]:
    """Ask for everything that shows a repository, check that nothing fails; its entry in the list."""
    page = f"ann/{name}" if kind == "models" else f"{kind}/ann/{name}"
    api = f"/api/{kind}/ann/{name}"
    lists = [f"/api/{kind}?search={name}", "/", f"/?search={name}&kind={kind}", "/api/models/ann/fine"]
    answers = [
        "",
        "?blobs=true",
        "?expand=safetensors&expand=cardData&expand=config",
        "/revision/main",
        "/refs",
    ]
    trees = ["/tree/main", "/tree/main?recursive=1&expand=1", "/commits/main"]
    paths = lists + [api + rest for rest in answers + trees]
    paths += [f"/{page}{rest}" for rest in ("", "/tree/main", "/commits/main", "/resolve/main/config.json")]
    for path in paths:
        answer = requests.get(hub.endpoint + path, headers={"Accept": "text/html"}, timeout=30)
        assert answer.status_code < 500, (path, answer.text[:300])
        assert answer.ok or path not in lists, (path, answer.text[:300])
        if path.startswith("/api/") and answer.ok:
            json.loads(answer.content.decode("utf-8"), parse_constant=lambda constant: 1 / 0)
    listed = requests.get(f"{hub.endpoint}/api/{kind}", timeout=30).json()
    if kind == "models":
        assert {"ann/fine", f"ann/{name}"} <= {entry["id"] for entry in listed}
    found: dict[str, object] = next(entry for entry in listed if entry["id"] == f"ann/{name}")
    return found


CONFIGS = {
    "nan": b'{"model_type": NaN, "architectures": [NaN]}',
    "infinity": b'{"architectures": [-Infinity], "a": Infinity}',
    "too large": b'{"model_type": 1e999}',
    "surrogate": b'{"model_type": "\\ud800", "architectures": ["\\udfff"]}',
    "raw surrogate": b'{"model_type": "\xed\xa0\x80"}',
    "no utf-8": b'{"model_type": "\xff"}',
    "huge": f'{{"architectures": {HUGE}}}'.encode(),
    "huge inside": f'{{"architectures": [{"9" * 400}]}}'.encode(),
    "nested": b'{"architectures": ' + b"[" * 900 + b"]" * 900 + b"}",
    "deeply nested": b'{"architectures": ' + b"[" * 200_000,
    "a list": b"[1]",
    "nothing": b"null",
    "cut off": b'{"a": ',
    "large": b'{"a": "' + b"x" * (1 << 20) + b'"}',
}


@pytest.mark.parametrize("kind", CONFIGS)
def test_an_odd_config(hub: RunningHub, kind: str) -> None:
    name = f"config-{kind.replace(' ', '-')}"
    write(create(hub, name).repository, "config.json", CONFIGS[kind])
    entry = look(hub, name)
    assert any(str(line).startswith("config.json: ") for line in entry["broken"])  # type: ignore[attr-defined]
    page = requests.get(f"{hub.endpoint}/ann/{name}", timeout=30).text
    assert "Broken:</strong> config.json" in page
    assert ">broken<" in requests.get(f"{hub.endpoint}/?search={name}", timeout=30).text
    assert ">broken<" not in requests.get(f"{hub.endpoint}/?search=fine", timeout=30).text


@pytest.mark.parametrize(
    "config",
    [
        {"architectures": "one", "model_type": ["bert"]},
        {"architectures": [{"a": 1}], "model_type": {"b": None}},
        {"architectures": [], "model_type": 5},
        {"architectures": [None], "model_type": ""},
        {"architectures": {"a": 1}, "model_type": None},
    ],
)
def test_a_config_of_other_types_is_no_failure(hub: RunningHub, config: dict[str, object]) -> None:
    name = f"types-{hashlib.sha256(json.dumps(config).encode()).hexdigest()[:8]}"
    write(create(hub, name).repository, "config.json", json.dumps(config).encode())
    assert "broken" not in look(hub, name)


READMES = {
    "no yaml": b"---\na: [\n---\n",
    "alias": b"---\na: &b c\nd: *b\n---\n",
    "base 60": b"---\nsize: !!int 1" + b":59" * 20_000 + b"\n---\n",
    "huge": f"---\nsize: {HUGE}\n---\n".encode(),
    "hexadecimal": b"---\ndownloads: 0x" + b"f" * 4000 + b"\n---\n",
    "a date": b"---\na: !!timestamp x\n---\n",
    "a list": b"---\n- a\n---\n",
    "nested": b"---\na: " + b"[" * 5000 + b"\n---\n",
    "control characters": b"---\na: \x01\n---\n",
}
ODD_READMES = {
    "text that was base 60": b"---\nsize: 1" + b":59" * 20_000 + b"\n---\n",
    "nan": b"---\na: .nan\nb: [.inf, -.inf]\nwidget: 5\n---\n",
    "surrogate": b'---\n"\\ud800": 1\n---\n',
    "other types": b"---\nwidget: {a: b}\ntags: 5\nlibrary_name: [1]\nmodel-index: x\npipeline_tag: 3\n---\n",
    "odd keys": b"---\n? 1\n: a\n? null\n: b\n? .nan\n: c\nlicense: {a: 1}\n---\n",
    "a widget of others": b"---\npipeline_tag: text-classification\nwidget: [1, null, {text: 5}, [a]]\n---\n",
    "set": b"---\ntags: !!set {a, b}\ndata: !!binary aGFsbG8=\n---\n",
    "no utf-8": b"---\ntags: [\xff]\n---\n\xed\xa0\x80",
    "dates": b"---\ndate: 2024-01-01\ntags: [2024-01-01, 1e3, 0o17]\n---\n",
}


@pytest.mark.parametrize(
    ("kind", "repo"), [*((kind, "model") for kind in READMES), ("no yaml", "dataset"), ("nested", "space")]
)
def test_a_readme_that_cannot_be_read(hub: RunningHub, kind: str, repo: str) -> None:
    name = f"card-{kind.replace(' ', '-')}"
    write(create(hub, name, repo).repository, "README.md", READMES[kind])
    entry = look(hub, name, kind=f"{repo}s")
    assert any(str(line).startswith("README.md: ") for line in entry["broken"])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "repo"), [*((kind, "model") for kind in ODD_READMES), ("other types", "space")]
)
def test_an_odd_readme(hub: RunningHub, kind: str, repo: str) -> None:
    name = f"odd-{kind.replace(' ', '-')}"
    write(create(hub, name, repo).repository, "README.md", ODD_READMES[kind])
    entry = look(hub, name, kind=f"{repo}s")
    assert entry["siblings"]  # nothing but the card is odd
    assert all(isinstance(tag, str) for tag in entry["tags"])  # type: ignore[attr-defined]


def header(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return len(raw).to_bytes(8, "little") + raw + b"\0" * 64


HEADERS_OF_TENSORS = {
    "huge shape": header(f'{{"w": {{"dtype": "F32", "shape": [{"9" * 18}, {"9" * 18}, 3]}}}}'),
    "many dimensions": header(json.dumps({"w": {"dtype": "F32", "shape": [2] * 100_000}})),
    "huge dimension": header(f'{{"w": {{"dtype": "F32", "shape": [{HUGE}]}}}}'),
    "sum": header(json.dumps({f"w{n}": {"dtype": "F32", "shape": [2**62]} for n in range(3)})),
    "nan": header('{"w": {"dtype": "F32", "shape": [NaN]}}'),
    "infinite": header('{"w": {"dtype": "F32", "shape": [1e999]}}'),
    "surrogate": header('{"w": {"dtype": "\\ud800", "shape": [1]}}'),
    "dimensions of one": header(json.dumps({"w": {"dtype": "F32", "shape": [1] * 100}})),
    "a long type": header(json.dumps({"w": {"dtype": "F" * 100, "shape": [1]}})),
    "a type of marks": header(json.dumps({"w": {"dtype": "<b>", "shape": [1]}})),
    "text": header('{"w": {"dtype": "F32", "shape": ["1", true, null]}}'),
    "negative": header('{"w": {"dtype": "F32", "shape": [-1]}}'),
    "dtype": header('{"w": {"dtype": {"a": 1}, "shape": [1]}}'),
    "no tensor": header('{"w": 5}'),
    "a list": header("[[]]"),
    "nested": header("[" * 100_000),
    "too long": (2**63).to_bytes(8, "little") + b"{}",
    "short": b"\0\0",
    "empty": header(b""),
}


@pytest.mark.parametrize("kind", HEADERS_OF_TENSORS)
def test_an_odd_safetensors_header(hub: RunningHub, kind: str) -> None:
    name = f"tensors-{kind.replace(' ', '-')}"
    create(hub, name)
    write_large(hub, name, HEADERS_OF_TENSORS[kind])
    entry = look(hub, name)
    assert any(str(line).startswith("model.safetensors: ") for line in entry["broken"])  # type: ignore[attr-defined]
    assert "safetensors" not in entry


DAMAGES: dict[str, Callable[[Path, str], None]] = {
    "an object is missing": lambda path, ref: path.unlink(),
    "an object is empty": lambda path, ref: path.write_bytes(b""),
    "an object is garbage": lambda path, ref: path.write_bytes(b"garbage"),
    "an object is cut off": lambda path, ref: path.write_bytes(path.read_bytes()[:-20]),
}


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("part", ["commit", "tree", "README.md"])
def test_a_damaged_store(hub: RunningHub, kind: str, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"{kind}-{part}".replace(" ", "-").replace(".", "-")
    shelf = create(hub, name)
    write(shelf.repository, "README.md", b"---\nlicense: mit\n---\n")
    commit = shelf.repository.commit_facts(shelf.repository.resolve("main"))
    entry = shelf.repository.find(commit.oid, "README.md")
    oids = {"commit": commit.oid, "tree": commit.tree, "README.md": entry.oid if entry else ""}
    path = shelf.folder / "objects" / oids[part][:2] / oids[part][2:]
    path.chmod(0o644)
    DAMAGES[kind](path, oids[part])
    monkeypatch.setattr("local_hub.repository._TREES", TreeCache())  # as after a restart
    assert look(hub, name)["broken"]


@pytest.mark.parametrize("kind", ["model", "space"])
@pytest.mark.parametrize("content", [b"", b"garbage", b"0" * 40, b"ref: refs/heads/main\n"])
def test_a_branch_that_leads_nowhere(hub: RunningHub, content: bytes, kind: str) -> None:
    name = f"branch-{hashlib.sha256(content).hexdigest()[:8]}"
    shelf = create(hub, name, kind)
    (shelf.folder / "refs" / "heads" / "main").write_bytes(content)
    assert look(hub, name, kind=f"{kind}s")["broken"]


def test_a_broken_space_stops_no_server_that_runs_spaces(tmp_path: Path) -> None:
    settings = HubSettings(tmp_path / "hub", tokens=GRANTS, run_spaces=True)
    with running_hub(settings) as hub:
        (create(hub, "lost", "space").folder / "refs" / "heads" / "main").write_bytes(b"garbage")
    with running_hub(settings) as hub:
        assert [one["id"] for one in requests.get(f"{hub.endpoint}/api/spaces", timeout=30).json()] == [
            "ann/lost"
        ]


@pytest.mark.parametrize("content", [b"", b"{", b'{"private": 5}', b"\xff"])
def test_a_record_that_cannot_be_read_stops_no_server(tmp_path: Path, content: bytes) -> None:
    root = tmp_path / "hub"
    with running_hub(HubSettings(root, tokens=GRANTS)) as hub:
        create(hub, "fine")
        create(hub, "lost")
    (root / "repositories" / "models" / "ann" / "lost.git" / "hub.json").write_bytes(content)
    with running_hub(HubSettings(root, tokens=GRANTS)) as hub:
        listed = requests.get(f"{hub.endpoint}/api/models", timeout=30).json()
        assert [entry["id"] for entry in listed] == ["ann/fine"]
        body = {"name": "lost"}
        answer = requests.post(f"{hub.endpoint}/api/repos/create", json=body, headers=HEADERS, timeout=30)
        assert answer.status_code == 409


odd = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just("\ud800")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(odd, st.booleans())
def test_whatever_strict_json_reads_can_be_written_again(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    try:
        found = read_json(text.encode("utf-8", "surrogatepass"))
    except ValueError:
        return
    assert json.dumps(found, ensure_ascii=False, allow_nan=False).encode("utf-8")
    assert found == value


def test_bodies_of_requests_are_read_as_strictly(hub: RunningHub) -> None:
    shelf = create(hub, "bodies")
    for raw in (
        b'{"title": "\xed\xa0\x80abc"}',
        b'{"title": "abc\\ud800"}',
        b'{"title": NaN}',
        b"[" * 100_000,
    ):
        url = f"{hub.endpoint}/api/models/ann/bodies/discussions"
        assert requests.post(url, raw, headers=HEADERS, timeout=30).status_code == 400
    assert shelf.record.discussions == ()

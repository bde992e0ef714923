"""Some kB from one person must not be seconds or gigabytes for whoever looks at his repository."""

from __future__ import annotations

import random
import shutil
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from dulwich.objects import Blob, ObjectID, Tree

from local_hub import HubSettings, RunningHub, TokenGrant, running_hub
from local_hub.contents import read_card
from local_hub.errors import HubError
from local_hub.objects import ObjectStore
from local_hub.pull_diff import text_diff
from local_hub.repository import Repository
from local_hub.tree_cache import TreeCache
from local_hub.trees import Change, Entry, Signature
from local_hub.xet import XetStore
from local_hub.xet_formats import FileRecipe, Term, read_shard
from tests.attacks.packs import push_of_tree
from tests.attacks.people import Person, regular
from tests.attacks.watched import HEADERS, TOKEN
from tests.attacks.xet_files import Xorb, shard

FILE, FOLDER = 0o100644, 0o040000


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A Hub of its own, for it counts what it holds."""
    grants = (TokenGrant("ann", "write", TOKEN),)
    with running_hub(HubSettings(tmp_path_factory.mktemp("bounds") / "hub", tokens=grants)) as running:
        yield running


def create(hub: RunningHub, name: str, **more: str) -> bytes:
    """The first commit of a new repository."""
    url, body = f"{hub.endpoint}/api/repos/create", {"name": name, **more}
    assert requests.post(url, json=body, headers=HEADERS, timeout=30).ok
    kind = f"{more.get('type', 'model')}s"
    info = requests.get(f"{hub.endpoint}/api/{kind}/ann/{name}", timeout=30).json()
    return bytes(info["sha"], "ascii")


def push(hub: RunningHub, name: str, body: bytes) -> str:
    url = f"{hub.endpoint}/ann/{name}.git/git-receive-pack"
    return requests.post(url, body, headers=HEADERS, timeout=60).text


# trees


def holding(child: ObjectID, mode: int, times: int) -> Tree:
    tree = Tree()
    for number in range(times):
        tree.add(b"%04d" % number, mode, child)
    return tree


def tree_of_trees(*widths: int) -> tuple[Tree, list[Blob | Tree]]:
    """Each tree holds the one below it so many times, the lowest a file; and what the root is made of."""
    below: list[Blob | Tree] = [Blob.from_string(b"x\n")]
    for level, width in enumerate(widths):
        below.append(holding(below[-1].id, FOLDER if level else FILE, width))
    root = below.pop()
    assert isinstance(root, Tree)
    return root, below


@pytest.mark.parametrize("widths", [(1000, 990), (2,) * 17], ids=["wide", "deep"])
def test_a_tree_that_holds_another_again_and_again_is_refused(
    hub: RunningHub, widths: tuple[int, ...]
) -> None:
    name = f"trees-{len(widths)}"
    root, below = tree_of_trees(*widths)
    body = push_of_tree(root, below, b"refs/heads/bomb", create(hub, name))
    assert len(body) < 10_000
    started = time.monotonic()
    assert "allowed are 100000" in push(hub, name, body)
    assert time.monotonic() - started < 5
    assert requests.get(f"{hub.endpoint}/api/models/ann/{name}/tree/bomb", timeout=30).status_code == 404


def test_many_files_of_one_content_are_taken_and_read_once(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []
    monkeypatch.setattr("local_hub.pushes.check_regular", lambda path, *_: judged.append(path))
    root, below = tree_of_trees(40, 40)
    body = push_of_tree(root, below, b"refs/heads/many", create(hub, "many"))
    assert "ok refs/heads/many" in push(hub, "many", body)
    assert judged == ["0000/0000"]
    listed = requests.get(f"{hub.endpoint}/api/models/ann/many/tree/many?recursive=1&limit=1000", timeout=30)
    assert len(listed.json()) == 1000 and "next" in listed.links


def test_commits_have_the_same_bound(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    create(hub, "commits")
    monkeypatch.setattr("local_hub.trees.MAX_FILES", 4)
    ann = Person(hub.endpoint, TOKEN)
    assert ann.commit("ann/commits", *(regular(f"{n}.txt", b"x") for n in range(3))).ok
    refused = ann.commit("ann/commits", regular("4.txt", b"x"))
    assert refused.status_code == 400 and "allowed are 4" in refused.json()["error"]
    instead = {"key": "deletedFile", "value": {"path": "0.txt"}}
    assert ann.commit("ann/commits", regular("4.txt", b"x"), instead).ok


@pytest.mark.parametrize(("mode", "told"), [(FILE, "its object is none"), (FOLDER, "broken or too deep")])
def test_what_is_said_to_be_a_file_is_one(hub: RunningHub, mode: int, told: str) -> None:
    """A tree in place of a file would be answered with fewer bytes than announced."""
    name = f"kinds-{mode}"
    blob, root = Blob.from_string(b"x"), Tree()
    inner = holding(blob.id, FILE, 1)
    root.add(b"a", mode, inner.id if mode == FILE else blob.id)
    body = push_of_tree(root, [blob, inner], b"refs/heads/odd", create(hub, name))
    assert told in push(hub, name, body)


def test_trees_are_kept_by_what_they_hold() -> None:
    cache, entries = TreeCache(most=10), tuple(Entry(f"{n}", "0" * 40, FILE) for n in range(4))
    for name in "abcb":
        cache.keep(Path(), name, entries)
    assert [cache.get(Path(), name) for name in "abc"] == [None, entries, entries]
    cache.keep(Path(), "d", entries * 3)
    assert [cache.get(Path(), name) for name in "abcd"] == [None] * 4


# diffs


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "m.git").mkdir()
    return Repository.init(tmp_path / "m.git")


def difference(repository: Repository, files: int, old: bytes, new: bytes) -> str:
    """Between two commits in which so many files have these contents."""
    trees = []
    for content in (old, new):
        blob = repository.add_blob(content)
        changes = [Change(f"{number:04d}.txt", blob) for number in range(files if content else 0)]
        oid = repository.write_commit((), changes, Signature("ann", "x"))
        trees.append(repository.commit_facts(oid).tree)
    with repository.git() as repo:
        return text_diff(repo, *trees)


def text(lines: int, words: int) -> bytes:
    """Lines none of which is common enough for difflib to leave it aside: it compares most of them."""
    chooser = random.Random(lines)
    return b"".join(b"%03d\n" % chooser.randrange(words) for _ in range(lines))


@pytest.mark.parametrize(("lines", "files"), [(30_000, 1), (150, 400), (3000, 30)])
def test_comparing_files_is_bounded_for_all_of_them(repository: Repository, lines: int, files: int) -> None:
    started = time.process_time()
    words = 2 if lines < 200 else 110
    diff = difference(repository, files, text(lines, words), text(lines + 1, words))
    assert diff.count("(too large to show)") > files // 2
    assert time.process_time() - started < 10


def test_a_diff_ends_where_it_is_cut(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    from local_hub import pull_diff

    written, write = [0], pull_diff.write_object_diff

    def counted(*arguments: Any) -> None:
        written[0] += 1
        write(*arguments)

    monkeypatch.setattr(pull_diff, "write_object_diff", counted)
    diff = difference(repository, 300, b"", b"a line of thirty-two characters\n" * 4000)
    assert len(diff) == 2_000_000
    assert written[0] < 20


def test_a_small_diff_is_shown(repository: Repository) -> None:
    assert "+new" in difference(repository, 2, b"old\nsame\n", b"new\nsame\n")


# lists and caches


def test_a_list_reads_each_repository_a_bounded_number_of_times(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    read = Repository.read

    def counted(repository: Repository, oid: str, path: str) -> bytes | None:
        reads.append(path)
        return read(repository, oid, path)

    monkeypatch.setattr(Repository, "read", counted)
    counts = []
    for size in (6, 12):
        for number in range(size - 6, size):
            create(hub, f"listed-{number}")
            create(hub, f"listing-{number}", type="space", sdk="static")
        reads.clear()
        assert len(requests.get(f"{hub.endpoint}/api/models?search=listed", timeout=30).json()) == size
        counts.append(len(reads))
    assert counts[1] - counts[0] <= 3 * 6  # a model, its config, a Space
    reads.clear()
    assert len(requests.get(f"{hub.endpoint}/api/models?search=listed&limit=2", timeout=30).json()) == 2
    assert len(reads) < counts[0]


def test_long_readmes_are_not_kept() -> None:
    tracemalloc.start()
    for number in range(10):
        assert read_card(b"---\nlicense: mit\n---\n" + b"%d" % number * 500_000) == {"license": "mit"}
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1_000_000


# Xet

CHUNKS = Xorb(tuple(b"%04d" % number for number in range(4096)))


def many_files(count: int) -> bytes:
    one = shard("a" * 64, [("b" * 64, 4, 0, 1)])[48:-48]
    different = (number.to_bytes(32, "little") + one[32:] for number in range(count))
    return b"\0" * 48 + b"".join(different) + b"\xff" * 32 + b"\0" * 16


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (many_files(25_001), "may describe 25000 files"),
        (shard("a" * 64, [("b" * 64, 4, 0, 1)] * 1100), "more runs of chunks"),
    ],
    ids=["files", "runs"],
)
def test_a_shard_holds_no_more_than_clients_send(data: bytes, told: str) -> None:
    with pytest.raises(HubError, match=told):
        read_shard(data)


def test_a_shard_that_says_the_same_a_thousand_times_is_worked_on_once() -> None:
    again = many_files(1)[48:-48] * 1000
    assert len(read_shard(b"\0" * 48 + again + b"\xff" * 32 + b"\0" * 16)) == 1
    assert len(read_shard(many_files(1000))) == 1000


def test_a_reconstruction_takes_linear_time(tmp_path: Path) -> None:
    (tmp_path / "sent").write_bytes(CHUNKS.to_bytes())
    store = XetStore(tmp_path / "hub", ObjectStore(tmp_path / "objects", tmp_path))
    name = CHUNKS.name
    store.keep_xorb(name, tmp_path / "sent")

    def rebuild(runs: int) -> None:
        terms = tuple(Term(name, 4, start, start + 1) for start in range(runs))
        told = store.reconstruction(FileRecipe("f" * 64, terms * 2, None), (0, 8 * runs), lambda *_: "")
        assert len(told["terms"]) == 2 * runs and len(told["fetch_info"][name]) == runs

    assert growth(rebuild, 1000) < 9


def growth(work: Callable[[int], object], size: int) -> float:
    """How many times longer four times the size takes: 4 where time is linear, 16 where it is quadratic."""

    def seconds(length: int) -> float:
        started = time.process_time()
        work(length)
        return time.process_time() - started

    return min(seconds(4 * size) for _ in range(3)) / min(seconds(size) for _ in range(3))


# clones


def test_a_clone_leaves_room_for_what_must_be_written(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may clone, and the answer waits on the disk until he has taken it."""
    create(hub, "cloned")
    text = random.Random(1).randbytes(100_000).hex().encode()
    assert Person(hub.endpoint, TOKEN).commit("ann/cloned", regular("a.txt", text)).ok
    info = requests.get(f"{hub.endpoint}/api/models/ann/cloned", timeout=30).json()
    line = f"want {info['sha']} side-band-64k thin-pack ofs-delta\n"
    wish = f"{len(line) + 4:04x}{line}00000009done\n"
    url = f"{hub.endpoint}/ann/cloned.git/git-upload-pack"
    assert len(requests.post(url, wish, timeout=30).content) > 100_000
    disk = shutil.disk_usage(hub.hub.incoming)._replace(total=10 << 30, free=(10 << 30) // 50 + 5000)
    monkeypatch.setattr("local_hub.room.shutil.disk_usage", lambda folder: disk)
    assert requests.post(url, wish, timeout=30).status_code == 507

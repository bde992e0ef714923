from __future__ import annotations

from finsent.release import ENDPOINT_FILES
from publishing.hub.remote import Remote, RemoteFile, Target
from publishing.package.changes import compare_files
from publishing.package.manifest import Manifest, from_bytes

TARGET = Target("ann/x")


def remote_with(**contents: bytes) -> Remote:
    files = {}
    for name, content in contents.items():
        path = name.replace("__", ".")
        made = from_bytes(path, content)
        large = made.sha256 if path.endswith(".safetensors") else None
        files[path] = RemoteFile(path, made.size, made.git_sha1 if large is None else "", large)
    return Remote(TARGET, "a" * 40, files)


def test_every_path_is_told_by_what_happens_to_it() -> None:
    files = {
        "config.json": b"new",
        "recipe.yaml": b"same",
        "model.safetensors": b"weights",
        "LICENSE": b"mit",
    }
    manifest = Manifest("model", {path: from_bytes(path, content) for path, content in files.items()})
    remote = remote_with(
        config__json=b"old!", recipe__yaml=b"same", model__safetensors=b"weights", metrics__json=b"{}",
        notebook__ipynb=b"theirs",
    )  # fmt: skip
    changes = {change.path: change for change in compare_files(manifest, remote)}
    assert {path: change.action for path, change in changes.items()} == {
        "LICENSE": "add", "config.json": "change", "recipe.yaml": "same", "model.safetensors": "same",
        "metrics.json": "delete", "notebook.ipynb": "keep",
    }  # fmt: skip
    assert {path for path, change in changes.items() if change.has_effect} == {
        "LICENSE", "config.json", "metrics.json",
    }  # fmt: skip
    assert (changes["config.json"].size, changes["metrics.json"].size) == (3, 2)  # sent, and standing there


def test_a_file_that_is_kept_is_not_deleted() -> None:
    (change,) = compare_files(Manifest("model", {}), remote_with(README__md=b"x"), kept=("README.md",))
    assert (change.action, change.has_effect) == ("keep", False)


def test_a_release_from_before_there_was_a_handler_leaves_the_one_that_stands_there() -> None:
    remote = remote_with(handler__py=b"theirs", requirements__txt=b"x==1\n", LICENSE=b"mit")
    older = Manifest("model", {"config.json": from_bytes("config.json", b"{}")})
    actions = {change.path: change.action for change in compare_files(older, remote)}
    assert actions == {
        "config.json": "add", "handler.py": "keep", "requirements.txt": "keep", "LICENSE": "delete",
    }  # fmt: skip
    newer = Manifest("model", {path: from_bytes(path, b"ours") for path in ENDPOINT_FILES})
    actions = {change.path: change.action for change in compare_files(newer, remote)}
    assert actions["handler.py"] == actions["requirements.txt"] == "change"

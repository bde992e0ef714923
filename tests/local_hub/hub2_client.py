"""Run by test_other_clients.py with huggingface_hub 2.x; prints `ok` when every step went as it should."""

from __future__ import annotations

import os
import random
import sys
import tempfile
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub import errors as hub_errors

WRITE, READ, OTHER = "hf_writer", "hf_reader", "hf_other"


def expect(kind: type[Exception], call: object, status: int | None = None) -> None:
    try:
        call()  # type: ignore[operator]
    except kind as error:
        response = getattr(error, "response", None)
        assert status is None or (response is not None and response.status_code == status), error
    else:
        raise AssertionError(f"{kind.__name__} was not raised")


def content(size: int) -> bytes:
    """Noise with a repetition in it, so that chunks repeat, and floats, so that Xet groups their bytes."""
    noise = random.Random(7).randbytes(size // 3)
    import struct

    floats = struct.pack(f"<{size // 12}f", *(1 + n / 1e6 for n in range(size // 12)))
    return noise + floats + noise


def write_and_read(api: HfApi, repo: str, folder: Path) -> None:
    big = content(6_000_000)
    (folder / "model.safetensors").write_bytes(big)
    (folder / "config.json").write_text("{}", encoding="utf-8")
    api.create_repo(repo)
    api.create_repo(repo, exist_ok=True)
    expect(hub_errors.HfHubHTTPError, lambda: api.create_repo(repo), 409)
    api.upload_folder(repo_id=repo, folder_path=folder, commit_message="release")
    for name in ("model.safetensors", "config.json"):
        got = Path(api.hf_hub_download(repo, name)).read_bytes()
        assert got == (folder / name).read_bytes(), name
    before = api.model_info(repo).sha
    api.upload_folder(repo_id=repo, folder_path=folder, commit_message="again")
    assert api.model_info(repo).sha == before, "nothing changed, but there is a commit"
    snapshot = Path(api.snapshot_download(repo))
    assert (snapshot / "model.safetensors").read_bytes() == big


def refs_and_commits(api: HfApi, repo: str) -> None:
    first = api.create_commit(repo, [CommitOperationAdd("a.txt", b"1")], commit_message="one").oid
    api.create_tag(repo, tag="v1")
    api.create_branch(repo, branch="dev/x")
    api.create_commit(repo, [CommitOperationAdd("a.txt", b"2")], commit_message="two", parent_commit=first)
    stale = [CommitOperationAdd("a.txt", b"3")]
    expect(
        hub_errors.HfHubHTTPError,
        lambda: api.create_commit(repo, stale, commit_message="three", parent_commit=first),
        412,
    )
    assert Path(api.hf_hub_download(repo, "a.txt", revision="v1")).read_bytes() == b"1"
    assert Path(api.hf_hub_download(repo, "a.txt", revision="dev/x")).read_bytes() == b"1"
    assert Path(api.hf_hub_download(repo, "a.txt")).read_bytes() == b"2"
    opened = api.create_commit(
        repo, [CommitOperationAdd("pr.bin", b"\0" + content(200_000))], commit_message="pull", create_pr=True
    )
    assert opened.pr_revision, opened
    assert api.file_exists(repo, "pr.bin", revision=opened.pr_revision)
    assert api.get_discussion_details(repo, opened.pr_num or 0).is_pull_request
    api.create_commit(repo, [CommitOperationDelete("a.txt")], commit_message="delete")
    assert not api.file_exists(repo, "a.txt")
    expect(hub_errors.EntryNotFoundError, lambda: api.delete_file("none.txt", repo))


def rights_and_gaps(api: HfApi, repo: str, endpoint: str) -> None:
    expect(
        hub_errors.RevisionNotFoundError, lambda: api.hf_hub_download(repo, "config.json", revision="none")
    )
    expect(hub_errors.EntryNotFoundError, lambda: api.hf_hub_download(repo, "none.txt"))
    expect(hub_errors.RepositoryNotFoundError, lambda: api.model_info("ann/none"))
    reader = HfApi(endpoint=endpoint, token=READ)
    add = [CommitOperationAdd("a.txt", b"1")]
    expect(hub_errors.HfHubHTTPError, lambda: reader.create_commit(repo, add, commit_message="no"), 403)
    api.auth_check(repo, write=True)
    expect(hub_errors.HfHubHTTPError, lambda: reader.auth_check(repo, write=True), 403)
    api.update_repo_settings(repo, visibility="private")
    for token in (False, OTHER):
        stranger = HfApi(endpoint=endpoint, token=token)
        expect(hub_errors.RepositoryNotFoundError, lambda stranger=stranger: stranger.model_info(repo))
    api.delete_repo(repo)
    assert not api.repo_exists(repo)


def main() -> None:
    endpoint, repo = os.environ["HF_ENDPOINT"], sys.argv[1]
    api = HfApi(endpoint=endpoint, token=WRITE)
    assert api.whoami()["name"] == "ann"
    with tempfile.TemporaryDirectory() as folder:
        write_and_read(api, repo, Path(folder))
    refs_and_commits(api, repo)
    rights_and_gaps(api, repo, endpoint)
    print("ok")


if __name__ == "__main__":
    main()

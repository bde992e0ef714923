from __future__ import annotations

import base64
import hashlib
import json
import time
from pathlib import Path

import pytest
import requests
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    HfApi,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    snapshot_download,
)
from huggingface_hub.errors import (
    BadRequestError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from local_hub import HubSettings, RunningHub, running_hub
from tests.local_hub.accounts import GRANTS, OTHER, READ, WRITE


def put(api: HfApi, repo_id: str, path: str, content: bytes, **options: str) -> str:
    operations = [CommitOperationAdd(path, content)]
    return api.create_commit(repo_id, operations, commit_message=f"add {path}", **options).oid


def test_whoami_tells_user_role_and_organizations(api: HfApi) -> None:
    told = api.whoami()
    assert told["name"] == "ann"
    assert told["auth"]["accessToken"]["role"] == "write"
    assert [org["name"] for org in told["orgs"]] == ["desk"]


def test_unknown_token_is_refused(server: RunningHub) -> None:
    with pytest.raises(requests.HTTPError, match="Invalid user token"):
        HfApi(endpoint=server.endpoint, token="hf_wrong").whoami()


def test_no_answer_waits_for_an_acknowledgement(server: RunningHub) -> None:
    seconds = [1.0]
    with requests.Session() as session:
        while min(seconds) >= 0.03 and len(seconds) < 300:  # by Nagle's algorithm each takes 40 ms or more
            started = time.monotonic()
            answer = session.get(
                f"{server.endpoint}/api/whoami-v2", headers={"Authorization": f"Bearer {WRITE}"}, timeout=10
            )
            assert answer.json()["name"] == "ann"
            seconds.append(time.monotonic() - started)
    assert min(seconds) < 0.03  # one is enough: a busy machine makes many slow, and none too quick


def test_create_twice_is_a_conflict_that_exist_ok_takes(api: HfApi, model: str) -> None:
    with pytest.raises(HfHubHTTPError, match="already created") as caught:
        api.create_repo(model)
    assert caught.value.response.status_code == 409
    assert caught.value.response.json()["url"].endswith(f"/{model}")
    assert str(api.create_repo(model, exist_ok=True)).endswith(f"/{model}")


@pytest.mark.parametrize("name", ["ann/a..b", "ann/.hidden", "ann/x.git", "ann/a b", "ann/../etc", "api/x"])
def test_names_that_the_hub_does_not_take(server: RunningHub, name: str) -> None:
    headers = {"Authorization": f"Bearer {WRITE}"}
    url = f"{server.endpoint}/api/repos/create"
    answer = requests.post(url, json={"name": name}, headers=headers, timeout=10)
    assert answer.status_code == 400, answer.text
    assert "Invalid" in answer.json()["error"] or "reserved" in answer.json()["error"]


def test_small_and_large_files_come_back_as_sent(
    api: HfApi, model: str, big_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    done = api.upload_folder(repo_id=model, folder_path=tmp_path, commit_message="release")
    assert done.endswith("/tree/main/")
    info = api.model_info(model, files_metadata=True)
    files = {sibling.rfilename: sibling for sibling in info.siblings or []}
    digest = hashlib.sha256(big_file.read_bytes()).hexdigest()
    assert files["model.safetensors"].lfs is not None
    assert files["model.safetensors"].lfs.sha256 == digest
    assert files["model.safetensors"].size == big_file.stat().st_size
    assert files["config.json"].lfs is None
    for name in ("model.safetensors", "config.json"):
        path = hf_hub_download(model, name, endpoint=api.endpoint, token=WRITE)
        assert Path(path).read_bytes() == (tmp_path / name).read_bytes()
    folder = snapshot_download(model, endpoint=api.endpoint, token=WRITE, local_dir=tmp_path / "snapshot")
    assert (Path(folder) / "model.safetensors").read_bytes() == big_file.read_bytes()


def test_large_upload_went_through_the_parts(
    server: RunningHub, model: str, api: HfApi, big_file: Path
) -> None:
    requests.get(f"{server.control}/log", params={"clear": "1"}, timeout=10)
    api.upload_file(path_or_fileobj=big_file, path_in_repo="model.safetensors", repo_id=model)
    log = requests.get(f"{server.control}/log", timeout=10).json()
    puts = [line for line in log if line["method"] == "PUT" and "&part=" in line["query"]]
    assert len(puts) == 5
    assert not any(line["authenticated"] for line in puts)


def test_nothing_new_makes_no_commit(api: HfApi, model: str, big_file: Path) -> None:
    for _ in range(2):
        api.upload_folder(repo_id=model, folder_path=big_file.parent)
    assert len(api.list_repo_commits(model)) == 2


def test_stale_parent_is_refused_and_changes_nothing(api: HfApi, model: str) -> None:
    first = put(api, model, "a.txt", b"1")
    put(api, model, "a.txt", b"2", parent_commit=first)
    with pytest.raises(HfHubHTTPError, match="A commit has happened since") as caught:
        put(api, model, "a.txt", b"3", parent_commit=first)
    assert caught.value.response.status_code == 412
    assert Path(api.hf_hub_download(model, "a.txt")).read_bytes() == b"2"


def test_tags_and_branches(api: HfApi, model: str) -> None:
    first = put(api, model, "a.txt", b"1")
    api.create_tag(model, tag="v1", tag_message="first")
    api.create_branch(model, branch="dev/x", revision=first)
    put(api, model, "a.txt", b"2")
    put(api, model, "b.txt", b"3", revision="dev/x")
    refs = api.list_repo_refs(model)
    assert {branch.name for branch in refs.branches} == {"main", "dev/x"}
    assert [(tag.name, tag.target_commit) for tag in refs.tags] == [("v1", first)]
    assert Path(api.hf_hub_download(model, "a.txt", revision="v1")).read_bytes() == b"1"
    assert Path(api.hf_hub_download(model, "a.txt", revision="main")).read_bytes() == b"2"
    assert api.list_repo_files(model, revision="dev/x") == [".gitattributes", "a.txt", "b.txt"]
    assert len(list(api.list_repo_tree(model, revision="dev/x"))) == 3
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_tag(model, tag="v1")
    api.create_tag(model, tag="v1", exist_ok=True)
    api.delete_tag(model, tag="v1")
    api.delete_branch(model, branch="dev/x")
    assert [branch.name for branch in api.list_repo_refs(model).branches] == ["main"]
    with pytest.raises(RevisionNotFoundError):
        api.model_info(model, revision="v1")


def test_pull_request_from_opening_to_merge(api: HfApi, model: str) -> None:
    put(api, model, "a.txt", b"one\n")
    operations = [CommitOperationAdd("a.txt", b"two\n"), CommitOperationAdd("new.txt", b"n\n")]
    done = api.create_commit(
        model, operations, commit_message="better", commit_description="y", create_pr=True
    )
    assert done.pr_num == 1
    assert done.pr_revision == "refs/pr/1"
    assert Path(api.hf_hub_download(model, "a.txt", revision="refs/pr/1")).read_bytes() == b"two\n"
    assert Path(api.hf_hub_download(model, "a.txt")).read_bytes() == b"one\n"
    put(api, model, "more.txt", b"m", revision="refs/pr/1")
    details = api.get_discussion_details(model, 1)
    assert details.title == "better"
    assert details.diff is not None
    assert "-one\n+two" in details.diff
    assert [event.type for event in details.events] == ["comment", "commit", "commit"]
    api.comment_discussion(model, 1, "fine")
    api.merge_pull_request(model, 1)
    assert api.get_discussion_details(model, 1).status == "merged"
    assert Path(api.hf_hub_download(model, "a.txt")).read_bytes() == b"two\n"
    assert Path(api.hf_hub_download(model, "more.txt")).read_bytes() == b"m"


def test_conflicting_pull_request_is_not_merged(api: HfApi, model: str) -> None:
    put(api, model, "a.txt", b"one")
    api.create_commit(model, [CommitOperationAdd("a.txt", b"two")], commit_message="theirs", create_pr=True)
    put(api, model, "a.txt", b"three")
    assert api.get_discussion_details(model, 1).conflicting_files == ["a.txt"]
    with pytest.raises(HfHubHTTPError, match=r"conflicts in: a\.txt"):
        api.merge_pull_request(model, 1)
    assert Path(api.hf_hub_download(model, "a.txt")).read_bytes() == b"three"


def test_anybody_may_propose_but_not_commit(server: RunningHub, api: HfApi, model: str) -> None:
    bob = HfApi(endpoint=server.endpoint, token=OTHER)
    with pytest.raises(HfHubHTTPError, match="rights to commit"):
        put(bob, model, "a.txt", b"1")
    done = bob.create_commit(model, [CommitOperationAdd("a.txt", b"1")], commit_message="o", create_pr=True)
    assert done.pr_num == 1
    assert not api.file_exists(model, "a.txt")


def test_deletions_and_copies(api: HfApi, model: str, big_file: Path) -> None:
    operations = [CommitOperationAdd("folder/a.txt", b"a"), CommitOperationAdd("folder/b.txt", b"b")]
    operations.append(CommitOperationAdd("m.bin", big_file.read_bytes()))
    api.create_commit(model, operations, commit_message="add")
    api.create_commit(model, [CommitOperationCopy("m.bin", "copy/m.bin")], commit_message="copy")
    api.create_commit(
        model, [CommitOperationDelete("folder/"), CommitOperationDelete("m.bin")], commit_message="delete"
    )
    assert api.list_repo_files(model) == [".gitattributes", "copy/m.bin"]
    with pytest.raises(EntryNotFoundError, match="doesn't exist"):
        api.delete_file("nothing.txt", model)


def test_a_folder_is_not_replaced_by_a_file_unless_deleted(api: HfApi, model: str) -> None:
    put(api, model, "x/a.txt", b"a")
    with pytest.raises(BadRequestError, match="x is a folder"):
        put(api, model, "x", b"file")
    with pytest.raises(BadRequestError, match="is a file, but there is a folder with its name"):
        put(api, model, "x/a.txt/b", b"file")
    api.create_commit(model, [CommitOperationDelete("x/"), CommitOperationAdd("x", b"1")], commit_message="s")
    assert api.list_repo_files(model) == [".gitattributes", "x"]


def test_private_looks_missing_without_the_right_token(
    server: RunningHub, api: HfApi, model: str, tmp_path: Path
) -> None:
    put(api, model, "a.txt", b"1")
    api.update_repo_settings(model, private=True)
    for token in (False, OTHER):
        stranger = HfApi(endpoint=server.endpoint, token=token)
        with pytest.raises(RepositoryNotFoundError):
            stranger.model_info(model)
        with pytest.raises(RepositoryNotFoundError):
            stranger.hf_hub_download(model, "a.txt", cache_dir=tmp_path)
    assert HfApi(endpoint=server.endpoint, token=READ).model_info(model).private is True


def test_read_only_token_may_read_only(server: RunningHub, api: HfApi, model: str) -> None:
    reader = HfApi(endpoint=server.endpoint, token=READ)
    with pytest.raises(HfHubHTTPError, match="role read") as caught:
        put(reader, model, "a.txt", b"1")
    assert caught.value.response.status_code == 403
    with pytest.raises(HfHubHTTPError, match="role read"):
        reader.create_repo("ann/never")
    assert reader.list_repo_files(model) == [".gitattributes"]


def test_gated_repositories_ask_first(server: RunningHub, api: HfApi, model: str) -> None:
    put(api, model, "a.txt", b"1")
    api.update_repo_settings(model, gated="auto")
    bob = HfApi(endpoint=server.endpoint, token=OTHER)
    with pytest.raises(GatedRepoError):
        bob.hf_hub_download(model, "a.txt")
    with pytest.raises(GatedRepoError):
        bob.auth_check(model)
    headers = {"Authorization": f"Bearer {OTHER}"}
    assert requests.post(f"{server.endpoint}/{model}/ask-access", headers=headers, timeout=10).ok
    assert Path(bob.hf_hub_download(model, "a.txt")).read_bytes() == b"1"


def test_missing_things_raise_the_clients_own_exceptions(api: HfApi, model: str) -> None:
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("ann/none")
    with pytest.raises(RevisionNotFoundError):
        api.hf_hub_download(model, "a.txt", revision="none")
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download(model, "none.txt")
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree(model, "no-folder"))
    with pytest.raises(RevisionNotFoundError):
        put(api, model, "a.txt", b"1", revision="none")
    assert api.get_paths_info(model, ["none", ".gitattributes"])[0].path == ".gitattributes"


def test_delete_and_move(api: HfApi, model: str) -> None:
    api.move_repo(model, "desk/moved")
    assert api.model_info(model).id == "desk/moved"
    assert api.list_repo_files("desk/moved") == [".gitattributes"]
    api.delete_repo("desk/moved")
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("desk/moved")
    api.delete_repo("desk/moved", missing_ok=True)


def test_expand_answers_what_was_asked(api: HfApi, model: str) -> None:
    readme = "---\nlicense: mit\npipeline_tag: text-classification\nlanguage: en\n---\n# x\n"
    put(api, model, "README.md", readme.encode())
    info = api.model_info(model, expand=["pipeline_tag", "inferenceProviderMapping", "tags"])
    assert info.pipeline_tag == "text-classification"
    assert info.sha is None
    assert {"license:mit", "en", "text-classification"} <= set(info.tags or [])
    assert info.inference_provider_mapping is not None
    assert [mapping.provider for mapping in info.inference_provider_mapping] == ["hf-inference"]
    with pytest.raises(BadRequestError, match="Unknown property"):
        api.model_info(model, expand=["nonsense"])  # type: ignore[list-item]
    assert [found.id for found in api.list_models(author="ann", search=model)] == [model]


def test_tree_pages_and_last_commits(api: HfApi, model: str) -> None:
    first = api.create_commit(
        model, [CommitOperationAdd(f"d/{n:03d}.txt", b"x") for n in range(60)], commit_message="many"
    )
    second = put(api, model, "d/007.txt", b"changed")
    entries = list(api.list_repo_tree(model, "d", expand=True))
    commits = {entry.path: entry.last_commit.oid for entry in entries if entry.last_commit}
    assert len(commits) == 60
    assert commits["d/007.txt"] == second
    assert commits["d/008.txt"] == first.oid


def test_resolve_head_and_ranges(server: RunningHub, api: HfApi, model: str, big_file: Path) -> None:
    content = big_file.read_bytes()
    operations = [CommitOperationAdd("m.bin", content), CommitOperationAdd("t.txt", b"0123456789")]
    oid = api.create_commit(model, operations, commit_message="add").oid
    for name, whole in (("m.bin", content), ("t.txt", b"0123456789")):
        url = hf_hub_url(model, name, endpoint=server.endpoint)
        facts = get_hf_file_metadata(url, token=WRITE)
        assert facts.commit_hash == oid
        assert facts.size == len(whole)
        first = requests.head(url, timeout=10, allow_redirects=False)
        assert first.status_code == (302 if name == "m.bin" else 307)
        part = requests.get(url, headers={"Range": "bytes=2-5"}, timeout=10)
        assert (part.status_code, part.content) == (206, whole[2:6])
        assert part.headers["Content-Range"] == f"bytes 2-5/{len(whole)}"
        assert requests.get(url, headers={"Range": "bytes=-3"}, timeout=10).content == whole[-3:]
        beyond = requests.get(url, headers={"Range": f"bytes={len(whole)}-"}, timeout=10)
        assert beyond.status_code == 416


def test_readme_metadata_is_checked_before_and_at_the_commit(api: HfApi, model: str) -> None:
    bad = b"---\nwidget: text\n---\n# x\n"
    with pytest.raises(ValueError, match='"widget" must be an array'):
        put(api, model, "README.md", bad)
    headers = {"Authorization": f"Bearer {WRITE}", "Content-Type": "application/x-ndjson"}
    lines = [
        {"key": "header", "value": {"summary": "x"}},
        {"key": "file", "value": {"path": "README.md", "content": base64.b64encode(bad).decode()}},
    ]
    body = "\n".join(json.dumps(line) for line in lines)
    url = f"{api.endpoint}/api/models/{model}/commit/main"
    answer = requests.post(url, data=body, headers=headers, timeout=10)
    assert answer.status_code == 400
    assert '"widget" must be an array' in answer.json()["error"]
    assert api.list_repo_files(model) == [".gitattributes"]


def test_resolve_may_answer_at_once(tmp_path: Path) -> None:
    with running_hub(HubSettings(tmp_path, tokens=GRANTS, redirects=False)) as direct:
        headers = {"Authorization": f"Bearer {WRITE}"}
        requests.post(f"{direct.endpoint}/api/repos/create", json={"name": "m"}, headers=headers, timeout=10)
        url = f"{direct.endpoint}/ann/m/resolve/main/.gitattributes"
        answer = requests.get(url, timeout=10, allow_redirects=False)
        assert answer.status_code == 200
        facts = get_hf_file_metadata(url)
        assert facts.size == len(answer.content)
        assert facts.etag == answer.headers["ETag"].strip('"')

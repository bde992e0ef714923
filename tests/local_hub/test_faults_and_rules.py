from __future__ import annotations

import base64
import hashlib
import json
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError

from local_hub import HubSettings, RunningHub, running_hub
from tests.local_hub.accounts import GRANTS, OTHER, READ, WRITE

BEARER = {"Authorization": f"Bearer {WRITE}"}


@pytest.fixture
def faults(server: RunningHub) -> Iterator[str]:
    url = f"{server.control}/faults"
    yield url
    requests.post(url, json=[], timeout=10)


def order(url: str, **fault: object) -> None:
    answer = requests.post(url, json=[fault], timeout=10)
    assert answer.ok, answer.text


def commits(api: HfApi, repo_id: str) -> list[str]:
    return [commit.title for commit in api.list_repo_commits(repo_id)]


def add(api: HfApi, repo_id: str, path: str = "a.txt", content: bytes = b"1") -> None:
    api.create_commit(repo_id, [CommitOperationAdd(path, content)], commit_message="add")


def test_status_and_headers_as_ordered_and_n_times(api: HfApi, model: str, faults: str) -> None:
    order(faults, method="POST", path=r"/commit/main", status=429, headers={"Retry-After": "7"}, n=2)
    for _ in range(2):
        with pytest.raises(HfHubHTTPError) as caught:
            add(api, model)
        assert caught.value.response.status_code == 429
        assert caught.value.response.headers["Retry-After"] == "7"
    add(api, model)
    assert commits(api, model) == ["add", "initial commit"]


def test_after_does_the_work_and_then_fails(api: HfApi, model: str, faults: str) -> None:
    order(faults, method="POST", path=r"/commit/", status=504, after=True)
    with pytest.raises(HfHubHTTPError) as caught:
        add(api, model)
    assert caught.value.response.status_code == 504
    assert commits(api, model) == ["add", "initial commit"]


@pytest.mark.parametrize(
    ("after", "titles"), [(False, ["initial commit"]), (True, ["add", "initial commit"])]
)
def test_reset_breaks_the_connection(
    api: HfApi, model: str, faults: str, after: bool, titles: list[str]
) -> None:
    order(faults, method="POST", path=r"/commit/", reset=True, after=after)
    with pytest.raises(requests.ConnectionError):
        add(api, model)
    assert commits(api, model) == titles


def test_delay_only_delays(api: HfApi, model: str, faults: str) -> None:
    order(faults, method="GET", path=r"/api/models/", delay=0.3)
    started = time.monotonic()
    assert api.model_info(model).id == model
    assert time.monotonic() - started >= 0.3
    assert requests.get(faults, timeout=10).json() == []


def test_log_tells_requests_but_no_token(server: RunningHub, api: HfApi, model: str) -> None:
    requests.get(f"{server.control}/log?clear=1", timeout=10)
    api.model_info(model)
    answer = requests.get(f"{server.control}/log", timeout=10)
    line = answer.json()[-1]
    assert (line["method"], line["path"], line["status"]) == ("GET", f"/api/models/{model}", 200)
    assert line["authenticated"] is True
    assert "hf_hub/" in line["user_agent"]
    assert WRITE not in answer.text


def test_a_fault_that_makes_no_sense_is_refused(faults: str) -> None:
    answer = requests.post(faults, json=[{"path": "("}], timeout=10)
    assert answer.status_code == 400
    assert "regular expression" in answer.json()["error"]


def test_without_the_flag_there_is_no_control_plane(tmp_path: Path) -> None:
    with running_hub(HubSettings(tmp_path, tokens=GRANTS)) as plain:
        assert requests.get(f"{plain.endpoint}/_test/log", timeout=10).status_code == 404
        assert requests.post(f"{plain.endpoint}/_test/faults", json=[], timeout=10).status_code in (404, 405)


def test_quotas_answer_as_the_hub_does(tmp_path: Path) -> None:
    settings = HubSettings(tmp_path, tokens=GRANTS, commits_per_hour=2, requests_per_5_minutes=40)
    with running_hub(settings) as strict:
        api = HfApi(endpoint=strict.endpoint, token=WRITE)
        api.create_repo("ann/m")
        url = f"{strict.endpoint}/api/models/ann/m/commit/main"
        line = b'{"key":"header","value":{"summary":"x"}}\n'
        answers = [requests.post(url, data=line, headers=BEARER, timeout=10) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2].headers["RateLimit"].startswith('"commits";r=0;t=')
        assert 3590 <= int(answers[2].headers["Retry-After"]) <= 3600
        codes = [
            requests.get(f"{strict.endpoint}/api/models/ann/m", timeout=10).status_code for _ in range(41)
        ]
        assert codes == [200] * 40 + [429]
        assert api.whoami()["name"] == "ann"  # another client has its own window


def test_free_accounts_pay_for_gradio(tmp_path: Path) -> None:
    with running_hub(HubSettings(tmp_path, tokens=GRANTS, free_account=True)) as free:
        api = HfApi(endpoint=free.endpoint, token=WRITE)
        with pytest.raises(HfHubHTTPError) as caught:
            api.create_repo("ann/s", repo_type="space", space_sdk="gradio")
        assert caught.value.response.status_code == 402
        api.create_repo("ann/s", repo_type="space", space_sdk="static")
        api.create_repo("ann/z", repo_type="space", space_sdk="gradio", space_hardware="zero-a10g")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("a.txt", b"x" * ((10 << 20) + 1), "must be stored with Git LFS"),
        ("a.dat", b"\x00\x01", "binary file"),
        (
            "a.bin",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 3\n",
            "pointer",
        ),
        ("../x", b"1", "segment '..' is refused"),
        (".git/config", b"1", "refused"),
        ("a\\b", b"1", "backslashes"),
    ],
)
def test_rules_of_a_commit(api: HfApi, model: str, path: str, content: bytes, message: str) -> None:
    file = {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}
    lines = [{"key": "header", "value": {"summary": "s"}}, {"key": "file", "value": file}]
    body = "\n".join(json.dumps(line) for line in lines)
    url = f"{api.endpoint}/api/models/{model}/commit/main"
    answer = requests.post(url, data=body, headers=BEARER, timeout=30)
    assert answer.status_code == 400
    assert message in answer.json()["error"]
    assert commits(api, model) == ["initial commit"]


def test_knowing_a_sha256_gives_no_access_to_the_object(
    server: RunningHub, api: HfApi, model: str, big_file: Path
) -> None:
    api.upload_file(path_or_fileobj=big_file, path_in_repo="m.bin", repo_id=model)
    oid = api.get_paths_info(model, ["m.bin"])[0].lfs.sha256  # type: ignore[union-attr]
    bob = HfApi(endpoint=server.endpoint, token=OTHER)
    bob.create_repo("bob/thief", exist_ok=True)
    value = {"path": "m.bin", "algo": "sha256", "oid": oid, "size": big_file.stat().st_size}
    lines = [{"key": "header", "value": {"summary": "s"}}, {"key": "lfsFile", "value": value}]
    answer = requests.post(
        f"{server.endpoint}/api/models/bob/thief/commit/main",
        data="\n".join(json.dumps(line) for line in lines),
        headers={"Authorization": f"Bearer {OTHER}"},
        timeout=10,
    )
    assert answer.status_code == 400
    assert "was not uploaded to this repository" in answer.json()["error"]


def test_an_upload_must_be_what_it_was_announced_as(server: RunningHub, api: HfApi, model: str) -> None:
    content = b"the right bytes"
    oid = hashlib.sha256(content).hexdigest()
    wanted = {"operation": "upload", "objects": [{"oid": oid, "size": len(content)}]}
    url = f"{server.endpoint}/{model}.git/info/lfs/objects/batch"
    answer = requests.post(url, json=wanted, headers=BEARER, timeout=10).json()
    href = answer["objects"][0]["actions"]["upload"]["href"]
    wrong = requests.put(href, data=b"the wrong bytes", timeout=10)
    assert wrong.status_code == 400
    assert "not what was announced" in wrong.json()["error"]
    assert requests.put(href, data=content + b"!", timeout=10).status_code == 413
    assert requests.put(href[:-3] + "abc", data=content, timeout=10).status_code == 403
    assert server.hub.objects.size(oid) is None
    assert requests.put(href, data=content, timeout=10).status_code == 200
    assert server.hub.objects.size(oid) == len(content)
    assert list(server.hub.incoming.glob("*")) in ([], [server.hub.incoming / "parts"])


def test_space_readme_rules(api: HfApi) -> None:
    api.create_repo("ann/space", repo_type="space", space_sdk="static", exist_ok=True)
    long = f"---\ntitle: x\nsdk: static\nshort_description: {'y' * 61}\n---\n".encode()
    with pytest.raises(ValueError, match="short_description"):
        api.upload_file(
            path_or_fileobj=long, path_in_repo="README.md", repo_id="ann/space", repo_type="space"
        )
    body = {"name": "none", "type": "space"}
    answer = requests.post(f"{api.endpoint}/api/repos/create", json=body, headers=BEARER, timeout=10)
    assert answer.status_code == 400
    assert '"sdk" must be one of' in answer.json()["error"]


def run_cli(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local_hub", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_command_line_refuses_what_is_dangerous_or_wrong(tmp_path: Path) -> None:
    outside = run_cli("serve", "--root", str(tmp_path), "--host", "0.0.0.0")
    assert outside.returncode == 2
    assert "needs --token" in outside.stderr
    wrong = run_cli("serve", "--root", str(tmp_path), "--token", "ann:admin:hf_secretword")
    assert wrong.returncode == 2
    assert "hf_secretword" not in wrong.stderr
    with running_hub(HubSettings(tmp_path, tokens=GRANTS)):
        taken = run_cli("serve", "--root", str(tmp_path), "--port", "1")
        assert taken.returncode == 1


def test_command_line_serves_with_a_token_of_its_own(tmp_path: Path) -> None:
    with running_hub(HubSettings(tmp_path / "other")) as probe:  # a port that was free a moment ago
        port = int(probe.endpoint.rsplit(":", 1)[1])
    command = [sys.executable, "-m", "local_hub", "serve", "--root", str(tmp_path), "--port", str(port)]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        try:
            endpoint = f"http://127.0.0.1:{port}"
            while process.poll() is None:
                try:
                    requests.get(f"{endpoint}/api/models", timeout=5)
                    break
                except requests.ConnectionError:
                    time.sleep(0.05)
            token_file = tmp_path / "token"
            assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
            token = token_file.read_text(encoding="utf-8").strip()
            assert HfApi(endpoint=endpoint, token=token).whoami()["name"] == "local"
        finally:
            process.send_signal(signal.SIGINT)
            told = process.communicate(timeout=30)[1]
    assert str(token_file) in told
    assert token not in told


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    settings = HubSettings(tmp_path, tokens=GRANTS, xet=False)
    with running_hub(settings) as first:
        api = HfApi(endpoint=first.endpoint, token=WRITE)
        api.create_repo("ann/kept", private=True)
        operations = [CommitOperationAdd("a.txt", b"1"), CommitOperationAdd("b.bin", b"\x00" * 100)]
        oid = requests.get(f"{first.endpoint}/api/models/ann/kept", headers=BEARER, timeout=10).json()["sha"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("huggingface_hub.constants.ENDPOINT", first.endpoint)
            oid = api.create_commit("ann/kept", operations, commit_message="add").oid
    with running_hub(replace(settings)) as second:
        info = HfApi(endpoint=second.endpoint, token=READ).model_info("ann/kept")
        assert info.sha == oid
        assert info.private is True
        url = f"{second.endpoint}/ann/kept/resolve/main/b.bin"
        assert requests.get(url, headers=BEARER, timeout=10).content == b"\x00" * 100

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import requests
from huggingface_hub import CommitOperationAdd, HfApi

from local_hub import RunningHub
from tests.local_hub.accounts import READ
from tests.local_hub.tiny_classifier import LABELS, card, write_tiny_classifier

HTML = {"Accept": "text/html"}
HOSTILE = """---
license: mit
tags: ['<script>alert(1)</script>']
---
<script>alert(1)</script>

<img src=x onerror=alert(1)>

<a href="javascript:alert(1)">a</a>

[b](javascript:alert(1)) [c](data:text/html,x)

<iframe src="https://example.com"></iframe>

<style>body{display:none}</style>

<form action="https://example.com"><input name=token></form>

![tracker](https://example.com/pixel.png) ![own](figures/a.png)

<svg onload=alert(1)><use href="x"/></svg>
"""


def page(server: RunningHub, path: str, **options: object) -> requests.Response:
    return requests.get(f"{server.endpoint}{path}", headers=HTML, timeout=20, **options)  # type: ignore[arg-type]


def test_a_hostile_card_runs_nothing_and_calls_nobody(server: RunningHub, api: HfApi, model: str) -> None:
    api.upload_file(path_or_fileobj=HOSTILE.encode(), path_in_repo="README.md", repo_id=model)
    answer = page(server, f"/{model}")
    assert answer.status_code == 200
    body = answer.text.lower()
    article = body[body.index("<article") : body.index("</article>")]
    for bad in (
        "<script",
        "onerror",
        "onload",
        'href="javascript',
        "<iframe",
        "<style",
        "<form",
        "<svg",
        'href="data',
    ):
        assert bad not in article
    assert "pixel.png" not in article
    assert f'src="/{model}/resolve/main/figures/a.png"'.lower() in article
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body  # the tag, as text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe" not in policy
    outside = re.findall(r'(?:src|href|action)="(https?:)?//[^"]*"', article)
    assert outside == []


def test_every_page_of_a_model(server: RunningHub, api: HfApi, model: str) -> None:
    operations = [
        CommitOperationAdd("README.md", card().encode()),
        CommitOperationAdd("onnx/model.onnx", b"\0" * 2048),
    ]
    api.create_commit(model, operations, commit_message="first & <best>")
    api.create_commit(model, [CommitOperationAdd("a.txt", b"1")], commit_message="pull", create_pr=True)
    front = page(server, f"/{model}").text
    assert "<table>" in front
    assert "text-classification" in front
    assert '<option value="profit rises">' in front
    assert "env.remoteHost" in front
    folder = page(server, f"/{model}/tree/main/onnx").text
    assert "2.0 kB" in folder
    assert "first &amp; &lt;best&gt;" in folder
    assert "first &amp; &lt;best&gt;" in page(server, f"/{model}/commits/main").text
    assert "pull request 1, open" in page(server, f"/{model}/discussions").text
    assert "diff --git a/a.txt" in page(server, f"/{model}/discussions/1").text
    assert model in page(server, "/").text
    missing = page(server, f"/{model}/tree/main/none")
    assert missing.status_code == 404
    assert missing.headers["Content-Type"].startswith("text/html")


def test_private_pages_need_a_session_that_cannot_write(server: RunningHub, api: HfApi, model: str) -> None:
    api.update_repo_settings(model, private=True)
    assert page(server, f"/{model}").status_code == 401
    assert model not in page(server, "/").text
    with requests.Session() as browser:
        wrong = browser.post(f"{server.endpoint}/login", data={"token": "hf_no"}, headers=HTML, timeout=10)
        assert wrong.status_code == 401
        signed_in = browser.post(f"{server.endpoint}/login", data={"token": READ}, headers=HTML, timeout=10)
        assert signed_in.status_code == 200
        assert READ not in signed_in.text + str(browser.cookies)
        assert browser.get(f"{server.endpoint}/{model}", headers=HTML, timeout=10).status_code == 200
        assert browser.get(f"{server.endpoint}/api/models/{model}", timeout=10).status_code == 401
        body = {"name": model.split("/")[1]}
        assert browser.delete(f"{server.endpoint}/api/repos/delete", json=body, timeout=10).status_code == 401
        browser.post(f"{server.endpoint}/logout", timeout=10)
        assert browser.get(f"{server.endpoint}/{model}", headers=HTML, timeout=10).status_code == 401


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
def test_the_widget_answers_in_a_browser(server: RunningHub, api: HfApi, model: str, tmp_path: Path) -> None:
    write_tiny_classifier(tmp_path / "release")
    (tmp_path / "release" / "README.md").write_text(card(), encoding="utf-8")
    api.upload_folder(repo_id=model, folder_path=tmp_path / "release")
    requests.post(f"{server.endpoint}/hf-inference/models/{model}", json={"inputs": "x"}, timeout=60)
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=8000",
        "--dump-dom",
        f"{server.endpoint}/{model}?try=1",
    ]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True).stdout
    result = dom[dom.index('class="result"') :]
    shown = re.findall(r"<span>([a-z]+)</span><span>(0\.\d{3})</span>", result)
    assert {label for label, _ in shown} == set(LABELS)
    assert abs(sum(float(score) for _, score in shown) - 1) < 0.01

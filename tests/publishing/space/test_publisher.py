from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import requests
from huggingface_hub import CommitOperationAdd

from local_hub import HubSettings, RunningHub, running_hub
from publishing.errors import LintError, PublishError
from publishing.hub.connection import Timeouts, connect
from publishing.hub.remote import Reader, Target
from publishing.hub.retries import Retries
from publishing.package.check import check_manifest
from publishing.package.manifest import read_folder
from publishing.package.parcel import subject_of
from publishing.push import undo
from publishing.space.forms import PIN, DemoFiles, Subject, write_form
from publishing.space.publisher import MODEL_REVISION, SpaceWish
from tests.publishing.conftest import GRANTS, QUICK, QUICKLY, WRITE, Publisher

APP = """import os

import gradio as gr
from huggingface_hub import hf_hub_download

config = hf_hub_download(os.environ["MODEL_ID"], "config.json", revision=os.environ["MODEL_REVISION"])


def classify(text: str) -> str:
    return f"positive by {os.environ['MODEL_REVISION'][:8]}"


gr.Interface(classify, "text", "text", api_name="classify").launch()
"""
PAGE = """<!doctype html><html><p>demo</p>
<script type="application/json" id="settings">{"pinned": "model.json"}</script></html>
"""


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A Space of ten lines in both forms."""
    folder = tmp_path / "space"
    (folder / "static").mkdir(parents=True)
    (folder / "app.py").write_text(APP, encoding="utf-8")
    (folder / "static" / "index.html").write_text(PAGE, encoding="utf-8")
    return folder


def small_wish(repo_id: str, run: Path, demo: Path) -> SpaceWish:
    subject = Subject(repo_id, "A small one", "Tells little.", "apache-2.0")
    source = DemoFiles(demo, inference=None)
    outbox = run / "outbox" / "space"
    return SpaceWish(f"{repo_id}-demo", "auto", subject, outbox, source, wait=120, poll=0.5)


def wish(publisher: Publisher, demo: Path, **changes: object) -> SpaceWish:
    made = small_wish(publisher.repo_id, publisher.run, demo)
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def free_account(tmp_path: Path) -> Iterator[RunningHub]:
    settings = HubSettings(tmp_path / "free", tokens=GRANTS, xet=False, free_account=True, allow_faults=True)
    with running_hub(settings) as running:
        yield running


@pytest.fixture
def running_spaces(tmp_path: Path) -> Iterator[RunningHub]:
    settings = HubSettings(tmp_path / "spaces", tokens=GRANTS, xet=False, run_spaces=True)
    with running_hub(settings) as running:
        yield running


def reader_of(hub: RunningHub, retries: Retries = QUICK) -> Reader:
    return Reader(connect(hub.endpoint, WRITE, Timeouts(5, 20), "a test"), retries)


def test_a_gradio_space_runs_and_answers_at_the_commit_that_was_proved(
    running_spaces: RunningHub, run: Path, demo: Path
) -> None:
    publisher = Publisher(reader_of(running_spaces, Retries()), run, "ann/shown")
    receipt = publisher.publish(space=wish(publisher, demo)).receipt
    assert receipt is not None and receipt.space is not None
    assert (receipt.space.stage, receipt.space.sdk) == ("RUNNING", "gradio")
    assert f"positive by {str(receipt.commit)[:8]}" in receipt.checks[-1].detail
    variables = publisher.reader.connection.api.get_space_variables("ann/shown-demo")
    assert variables[MODEL_REVISION].value == receipt.commit
    assert publisher.publish(space=wish(publisher, demo)).receipt is None


def test_an_app_that_dies_is_told_with_its_log(running_spaces: RunningHub, run: Path, demo: Path) -> None:
    (demo / "app.py").write_text("raise SystemExit('no such model here')\n", encoding="utf-8")
    publisher = Publisher(reader_of(running_spaces, Retries()), run, "ann/broken")
    with pytest.raises(
        PublishError, match=r"is published, but space failed: RUNTIME_ERROR[\s\S]*no such model"
    ):
        publisher.publish(space=wish(publisher, demo))
    assert publisher.receipts()[-1].commit is not None


def test_402_falls_to_the_static_form_and_says_so(free_account: RunningHub, run: Path, demo: Path) -> None:
    publisher = Publisher(reader_of(free_account), run, "ann/free")
    receipt = publisher.publish(space=wish(publisher, demo)).receipt
    assert receipt is not None and receipt.space is not None and receipt.space.sdk == "static"
    assert "static instead of Gradio" in receipt.space.note
    assert receipt.checks[-1].state == "ok"
    pinned = publisher.reader.content(Target("ann/free-demo", "space"), "model.json", "main") or b""
    assert str(receipt.commit) in pinned.decode()
    assert publisher.publish(space=wish(publisher, demo)).receipt is None


def test_a_rollback_points_a_static_page_back(free_account: RunningHub, run: Path, demo: Path) -> None:
    publisher = Publisher(reader_of(free_account), run, "ann/back")
    publisher.publish(space=wish(publisher, demo))
    publisher.change("A sentence to regret.")
    receipt = publisher.publish(space=wish(publisher, demo), tagged=False).receipt
    assert receipt is not None
    undone = undo(receipt, run, publisher.reader, QUICKLY)
    space = Target("ann/back-demo", "space")
    assert str(undone.commit) in (publisher.reader.content(space, "model.json", "main") or b"").decode()
    assert undone.space is not None and undone.space.commit == publisher.reader.head(space)
    last = publisher.reader.read(space).last_push
    assert last is not None and last.card is not None  # its card is still known as unedited


def test_a_rollback_points_an_app_back(publisher: Publisher, demo: Path) -> None:
    publisher.publish(space=wish(publisher, demo))
    publisher.change("A sentence to regret.")
    receipt = publisher.publish(space=wish(publisher, demo), tagged=False).receipt
    assert receipt is not None
    undone = undo(receipt, publisher.run, publisher.reader, QUICKLY)
    space = Target(f"{publisher.repo_id}-demo", "space")
    variables = publisher.reader.connection.api.get_space_variables(space.repo_id)
    assert variables[MODEL_REVISION].value == undone.commit
    assert str(undone.commit) in (publisher.reader.content(space, PIN, "main") or b"").decode()


def test_secrets_go_to_the_space_and_nowhere_else(
    publisher: Publisher, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PublishError, match="--space-secret KEY: no such environment variable is set"):
        publisher.publish(space=wish(publisher, demo, secrets=("KEY",)))
    monkeypatch.setenv("KEY", "a-value-to-hide")
    receipt = publisher.publish(space=wish(publisher, demo, secrets=("KEY",))).receipt
    assert receipt is not None and "a-value-to-hide" not in receipt.model_dump_json()
    answer = requests.get(
        f"{publisher.reader.connection.endpoint}/api/spaces/{publisher.repo_id}-demo/secrets",
        headers={"Authorization": f"Bearer {WRITE}"}, timeout=10,
    )  # fmt: skip
    assert "KEY" in answer.json() and "a-value-to-hide" not in answer.text


def test_402_without_a_static_form_leaves_the_model_published(
    free_account: RunningHub, run: Path, demo: Path
) -> None:
    (demo / "static" / "index.html").unlink()
    publisher = Publisher(reader_of(free_account), run, "ann/free")
    receipt = publisher.publish(space=wish(publisher, demo)).receipt
    assert receipt is not None and receipt.space is not None and receipt.state == "published"
    assert receipt.space.sdk == "none" and "402" in receipt.space.note


def test_a_hub_that_runs_no_spaces(publisher: Publisher, demo: Path) -> None:
    receipt = publisher.publish(space=wish(publisher, demo)).receipt
    assert receipt is not None and receipt.checks[-1].state == "not run"


def test_somebody_elses_space_is_not_overwritten(publisher: Publisher, demo: Path) -> None:
    api = publisher.reader.connection.api
    api.create_repo(f"{publisher.repo_id}-demo", repo_type="space", space_sdk="gradio")
    api.create_commit(
        f"{publisher.repo_id}-demo", [CommitOperationAdd("app.py", b"print()")], commit_message="mine",
        repo_type="space",
    )  # fmt: skip
    with pytest.raises(PublishError, match="was not published from here"):
        publisher.publish(space=wish(publisher, demo))
    assert publisher.reader.head(publisher.target) is None


def test_zerogpu_needs_a_decorated_function(publisher: Publisher, demo: Path) -> None:
    with pytest.raises(PublishError, match=r"no function is decorated with @spaces\.GPU"):
        publisher.publish(space=wish(publisher, demo, form="zerogpu"))


def test_a_space_card_is_linted(tmp_path: Path) -> None:
    card = f"---\nsdk: static\nshort_description: {'x' * 61}\n---\n"
    (tmp_path / "README.md").write_text(card, encoding="utf-8")
    (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
    with pytest.raises(LintError, match="short_description has 61 characters"):
        check_manifest(read_folder(tmp_path, "space"), tmp_path)


def test_without_the_wished_form_nothing_is_sent(publisher: Publisher, demo: Path) -> None:
    (demo / "static" / "index.html").unlink()
    with pytest.raises(LintError, match=r"has no index\.html for the static form; publish with --space none"):
        publisher.publish(space=wish(publisher, demo, form="static"))
    assert publisher.reader.head(publisher.target) is None


@pytest.mark.parametrize("form", ["gradio", "static"])
def test_what_is_sent_is_what_the_tests_of_the_demo_show(
    publisher: Publisher, tmp_path: Path, form: Literal["gradio", "static"]
) -> None:
    wished = replace(
        wish(publisher, tmp_path), form=form, source=DemoFiles(), subject=subject_of(publisher.parcel())
    )
    receipt = publisher.publish(space=wished).receipt
    assert receipt is not None and receipt.space is not None and receipt.space.sdk == form
    subject = replace(wished.subject, revision=receipt.commit, host=publisher.reader.connection.endpoint)
    names = write_form(form, subject, tmp_path / "shown")
    target = Target(wished.repo_id, "space")
    sent = set(publisher.reader.read(target).files) - {".gitattributes"}
    assert sent == set(names) and "forms.py" not in sent and PIN in sent
    for name in names:
        assert publisher.reader.content(target, name, "main") == (tmp_path / "shown" / name).read_bytes()
    assert publisher.publish(space=wished).receipt is None

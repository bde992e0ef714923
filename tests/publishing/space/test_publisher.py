from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from huggingface_hub import CommitOperationAdd

from finsent.cli import tell_seconds
from local_hub import RunningHub
from publishing.errors import LintError, PublishError
from publishing.hub.remote import Target
from publishing.package.parcel import subject_of
from publishing.space.forms import PIN, DemoFiles, write_form
from tests.publishing.conftest import Publisher
from tests.publishing.small_space import reader_of, space_of


def test_402_falls_to_the_static_form_and_says_so(
    free_account: RunningHub, run: Path, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publisher = Publisher(reader_of(free_account), run, "ann/free")
    space = space_of(publisher, demo)
    receipt = publisher.publish(space=space).receipt
    told = capsys.readouterr().err
    assert f"waiting for the Space ann/free-demo, at most {tell_seconds(space.wait)}\n" in told
    assert receipt is not None and receipt.space is not None and receipt.space.sdk == "static"
    assert "static instead of Gradio" in receipt.space.note
    assert receipt.checks[-1].state == "ok"
    pinned = publisher.reader.content(Target("ann/free-demo", "space"), "model.json", "main") or b""
    assert str(receipt.commit) in pinned.decode()
    assert publisher.publish(space=space_of(publisher, demo)).receipt is None


def test_402_without_a_static_form_leaves_the_model_published(
    free_account: RunningHub, run: Path, demo: Path
) -> None:
    (demo / "static" / "index.html").unlink()
    publisher = Publisher(reader_of(free_account), run, "ann/free")
    receipt = publisher.publish(space=space_of(publisher, demo)).receipt
    assert receipt is not None and receipt.space is not None and receipt.state == "published"
    assert receipt.space.sdk == "none" and "402" in receipt.space.note


def test_somebody_elses_space_is_not_overwritten(publisher: Publisher, demo: Path) -> None:
    api = publisher.reader.connection.api
    api.create_repo(f"{publisher.repo_id}-demo", repo_type="space", space_sdk="gradio")
    api.create_commit(
        f"{publisher.repo_id}-demo", [CommitOperationAdd("app.py", b"print()")], commit_message="mine",
        repo_type="space",
    )  # fmt: skip
    with pytest.raises(PublishError, match="was not published from here"):
        publisher.publish(space=space_of(publisher, demo))
    assert publisher.reader.head(publisher.target) is None


def test_zerogpu_needs_a_decorated_function(publisher: Publisher, demo: Path) -> None:
    with pytest.raises(PublishError, match=r"no function is decorated with @spaces\.GPU"):
        publisher.publish(space=space_of(publisher, demo, choice="zerogpu"))


def test_a_model_that_no_browser_runs_has_no_static_form(
    publisher: Publisher, free_account: RunningHub, run: Path, demo: Path
) -> None:
    shown = replace(space_of(publisher, demo).subject, forms=("gradio",))
    with pytest.raises(LintError, match=r"--space static: no browser can run .* --space gradio or none"):
        publisher.publish(space=space_of(publisher, demo, choice="static", subject=shown))
    free = Publisher(reader_of(free_account), run, "ann/free")
    receipt = free.publish(space=space_of(free, demo, subject=replace(shown, model="ann/free"))).receipt
    assert receipt is not None and receipt.space is not None
    assert receipt.space.sdk == "none" and "402" in receipt.space.note


def test_without_the_wished_form_nothing_is_sent(publisher: Publisher, demo: Path) -> None:
    (demo / "static" / "index.html").unlink()
    with pytest.raises(LintError, match=r"has no index\.html for the static form; publish with --space none"):
        publisher.publish(space=space_of(publisher, demo, choice="static"))
    assert publisher.reader.head(publisher.target) is None


@pytest.mark.parametrize("form", ["gradio", "static"])
def test_what_is_sent_is_what_the_tests_of_the_demo_show(
    publisher: Publisher, tmp_path: Path, form: Literal["gradio", "static"]
) -> None:
    space = replace(
        space_of(publisher, tmp_path), choice=form, files=DemoFiles(), subject=subject_of(publisher.parcel())
    )
    receipt = publisher.publish(space=space).receipt
    assert receipt is not None and receipt.space is not None and receipt.space.sdk == form
    subject = replace(space.subject, revision=receipt.commit, host=publisher.reader.connection.endpoint)
    names = write_form(form, subject, tmp_path / "shown")
    target = Target(space.repo_id, "space")
    sent = set(publisher.reader.read(target).files) - {".gitattributes"}
    assert sent == set(names) and "forms.py" not in sent and PIN in sent
    for name in names:
        assert publisher.reader.content(target, name, "main") == (tmp_path / "shown" / name).read_bytes()
    assert publisher.publish(space=space).receipt is None

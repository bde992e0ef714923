from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from huggingface_hub import HfApi

from publishing.comparison import FigureChange
from publishing.display import show_account, show_check, show_plan, show_receipt, show_rollback, size_text
from publishing.hub.connection import Connection
from publishing.package.changes import FileChange
from publishing.plan import Plan
from publishing.preflight import Account
from publishing.receipt import Check, Receipt
from tests.publishing.test_receipt import OF_0_1_0


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """What was printed on stderr since the last call, by line."""
    return lambda: capsys.readouterr().err.splitlines()


HUB = Connection(str(OF_0_1_0["endpoint"]), HfApi(), "a test", "hf_secret")


def make_plan(**changes: Any) -> Plan:
    tree = {
        "repo_id": "ann/x", "repo_type": "model", "revision": "main", "parent": "abcdef0123" * 4,
        "files": (), "tag": None, "title": "Update x", "card": "ours",
    }  # fmt: skip
    return Plan.model_validate(tree | changes)


def test_a_plan_is_a_line_a_file_and_what_speaks_for_or_against_it(told: Callable[[], list[str]]) -> None:
    files = (
        FileChange(path="a[b].csv", action="add", size=2_500_000),
        FileChange(path="old.csv", action="delete", size=900),
    )
    figures = (
        FigureChange(variant="fp32", figure="bytes", before=1.0, after=2.0),
        FigureChange(variant="fp32", figure="accuracy", before=0.5, after=0.5),
        FigureChange(variant="fp16", figure="bytes", before=None, after=2.0),
    )
    show_plan(make_plan(files=files, figures=figures, notes=("a note",), warnings=("a warning",)))
    assert told() == [
        "ann/x, main at abcdef01",
        "  add    a[b].csv (2.5 MB)",
        "  delete old.csv (0.9 kB)",
        "to send: at most 2.5 MB; 'Update x'",
        "  fp32 bytes: 1 -> 2",
        "a note",
        "warning: a warning",
    ]


def test_a_plan_says_where_it_goes_and_when_there_is_nothing_to_do(told: Callable[[], list[str]]) -> None:
    show_plan(make_plan())
    show_plan(make_plan(parent=None, repo_type="dataset", revision="next", files=(FILE,)))
    lines = told()
    assert lines[0] == "ann/x, main at abcdef01: nothing to change"
    assert lines[1] == "dataset ann/x, next does not exist yet and will be created"


FILE = FileChange(path="README.md", action="add", size=1)


def test_a_receipt_names_commit_checks_and_space(told: Callable[[], list[str]]) -> None:
    show_receipt(Receipt.model_validate(OF_0_1_0), HUB)
    lines = told()
    assert lines[0] == "Repository: http://127.0.0.1:37595/ann/quick"
    assert {"State: published", f"Commit: {'8' * 40}", "Tag: v0.1.0", "Files: 1, 30.4 kB"} <= set(lines)
    assert "Check: files: ok, 13 files, sha256 of each" in lines
    assert lines[-1] == "Space: http://127.0.0.1:37595/spaces/ann/quick-demo: gradio, RUNNING"


def test_a_hub_that_has_ended_is_called_by_its_folder(told: Callable[[], list[str]]) -> None:
    hub = dataclasses.replace(HUB, folder="runs/hub")
    show_account(hub, Account("ann", (), "write"))
    show_receipt(Receipt.model_validate(OF_0_1_0), hub)
    lines = told()
    assert lines[0].startswith("runs/hub as ann, ")
    assert lines[1] == "Repository: ann/quick in runs/hub"
    assert lines[-1] == "Space: spaces/ann/quick-demo in runs/hub: gradio, RUNNING"
    assert HUB.endpoint not in "".join(lines)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"commit": None}, "Commit: none"),
        (
            {"commit": None, "commit_is_certain": False},
            "Commit: not known; run again to find out",
        ),
        ({"pull_request": 3}, f"Commit: {'8' * 40}, pull request 3"),
        ({"tag": None}, "Tag: none"),
        ({"state": "failed", "message": "why"}, "State: failed: why"),
        ({"repo_type": "dataset"}, "Repository: http://127.0.0.1:37595/datasets/ann/quick"),
    ],
)
def test_a_receipt_says_what_is_not_there(
    changes: dict[str, Any], line: str, told: Callable[[], list[str]]
) -> None:
    show_receipt(Receipt.model_validate(OF_0_1_0 | changes), HUB)
    assert line in told()


def test_a_check_of_a_stranger_is_printed_as_a_result_and_steers_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_check(Check(name="load", state="failed", detail="\x1b[2Jgone"))
    assert capsys.readouterr() == ("load: failed, \ufffd[2Jgone\n", "")


def test_a_rollback_says_from_where_to_where(told: Callable[[], list[str]]) -> None:
    show_rollback(Receipt.model_validate(OF_0_1_0))
    assert told() == ["ann/quick goes back from 88888888 to bbbbbbbb"]


def test_sizes_are_told_in_the_unit_that_fits() -> None:
    assert [size_text(size) for size in (0, 999, 99_999, 100_000, 14_900_000)] == [
        "0.0 kB", "1.0 kB", "100.0 kB", "0.1 MB", "14.9 MB",
    ]  # fmt: skip

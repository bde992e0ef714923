from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from finsent.release import ENDPOINT_FILES, HANDLER, METRICS
from publishing.proof.handler import check_foreign_handler, check_handler
from publishing.proof.prover import HARD_TEXTS
from tests import tiny


@pytest.fixture
def snapshot(tiny_release: Path, tmp_path: Path) -> Path:
    """A commit as the client's cache has it: links to files that lie elsewhere under other names."""
    folder, blobs = tmp_path / "snapshot", tmp_path / "blobs"
    blobs.mkdir()
    for number, path in enumerate(sorted(one for one in tiny_release.rglob("*") if one.is_file())):
        link = folder / path.relative_to(tiny_release)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(shutil.copyfile(path, blobs / str(number)))
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (folder := tmp_path / "home").mkdir()
    return folder


def test_the_handler_of_a_commit_answers_as_was_measured(snapshot: Path, home: Path) -> None:
    check = check_handler(snapshot, home)
    count = len(tiny.read_json(snapshot / METRICS)["examples"]) + len(HARD_TEXTS)
    assert (check.name, check.state) == ("handler", "ok")
    assert check.detail == f"handler.py, {count} texts, largest |Δp| 0"


@pytest.mark.parametrize("name", ENDPOINT_FILES)
def test_what_finsent_did_not_write_is_not_run(name: str, snapshot: Path, home: Path, tmp_path: Path) -> None:
    code = (snapshot / name).read_text(encoding="utf-8")
    (snapshot / name).unlink()
    (snapshot / name).write_text(f"open({str(tmp_path / 'owned')!r}, 'w')\n{code}", encoding="utf-8")
    check = check_handler(snapshot, home)
    assert (check.state, check.detail) == (
        "not run",
        f"{name}: not the version that this finsent writes, so it was not run",
    )
    assert not (tmp_path / "owned").exists()


def test_a_stranger_s_handler_runs_when_it_is_asked_for(snapshot: Path, home: Path, tmp_path: Path) -> None:
    code = (snapshot / HANDLER).read_text(encoding="utf-8")
    (snapshot / HANDLER).unlink()
    (snapshot / HANDLER).write_text(
        f"{code}\nopen({str(tmp_path / 'asked')!r}, 'w').close()\n", encoding="utf-8"
    )
    assert check_foreign_handler(snapshot, home).state == "ok"
    assert (tmp_path / "asked").exists()


def rewrite(path: Path, tree: object) -> None:
    path.unlink()
    path.write_text(json.dumps(tree), encoding="utf-8")


def test_figures_of_another_model_are_noticed(snapshot: Path, home: Path) -> None:
    tree = tiny.read_json(snapshot / METRICS)
    scores = tree["examples"][0]["scores"]
    scores |= dict(zip(scores, [1.0, 0.0, 0.0], strict=True))
    rewrite(snapshot / METRICS, tree)
    check = check_handler(snapshot, home)
    assert check.state == "failed" and "from metrics.json, allowed is 0.02" in check.detail


def test_a_handler_that_cannot_load_fails_with_its_error(snapshot: Path, home: Path) -> None:
    rewrite(snapshot / "tokenizer.json", {})
    check = check_handler(snapshot, home)
    assert check.state == "failed" and check.detail.startswith("handler.py: ")


def test_a_hard_text_needs_the_labels_of_the_model(snapshot: Path, home: Path) -> None:
    code = (
        "import json, pathlib\nclass EndpointHandler:\n"
        "  def __init__(self, path): self.said = {one['text']: one['scores'] for one in json.loads("
        "pathlib.Path(path, 'metrics.json').read_text())['examples']}\n"
        "  def __call__(self, data):\n"
        "    scores = self.said.get(data['inputs'], {'other': 1.0})\n"
        "    return [[{'label': label, 'score': score} for label, score in scores.items()]]\n"
    )
    (snapshot / HANDLER).unlink()
    (snapshot / HANDLER).write_text(code, encoding="utf-8")
    check = check_foreign_handler(snapshot, home)
    assert (check.state, check.detail) == (
        "failed",
        "handler.py: answers {'other': 1.0} for a difficult text",
    )

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from finsent.errors import ReleaseError
from finsent.release import HANDLER, METRICS
from model_card.measure.metrics_file import ExampleResult, read_metrics
from model_card.measure.runtimes import ask_handler, measure_handler

ANSWER = "[[{'label': 'up', 'score': 0.25}, {'label': 'down', 'score': 0.75}]]"
SAID = ExampleResult(title="x", text="profit rose", expected="up", scores={"up": 0.25, "down": 0.75})


def write_handler(folder: Path, call: str) -> Path:
    """Write a handler of a few lines into a folder."""
    methods = f"  def __init__(self, path): pass\n  def __call__(self, data):\n    {call}\n"
    (folder / HANDLER).write_text(f"import os, sys\nclass EndpointHandler:\n{methods}", encoding="utf-8")
    return folder


def test_a_release_is_run_and_left_as_it_is(run: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(run / "release", tmp_path / "release"))
    before = sorted(folder.rglob("*"))
    examples = read_metrics(folder / METRICS).examples
    [found] = measure_handler(folder, examples)
    assert (found.name, found.texts, found.difference) == (HANDLER, len(examples), 0.0)
    assert sorted(folder.rglob("*")) == before


def test_a_release_without_a_handler_is_not_run(tmp_path: Path) -> None:
    assert measure_handler(tmp_path, [SAID]) == []


def test_no_token_and_no_variable_reaches_a_handler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-cloud-key")
    told = tmp_path / "told"
    write_handler(tmp_path, f"open({str(told)!r}, 'w').write(repr(dict(os.environ))); return {ANSWER}")
    (home := tmp_path / "home").mkdir()
    assert ask_handler(tmp_path, ["a"], home) == [{"up": 0.25, "down": 0.75}]
    environment = told.read_text(encoding="utf-8")
    assert "hf_secret" not in environment and "a-cloud-key" not in environment
    assert f"'HOME': {str(home)!r}" in environment and "'HF_HUB_OFFLINE': '1'" in environment


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("raise ValueError('no weights')", r"handler\.py: ValueError: no weights"),
        ("return {'label': 'up'}", r"does not answer with \[\[\{label, score\}\]\]"),
        ("return [{'label': 'up', 'score': 1.0}]", r"does not answer with \[\[\{label, score\}\]\]"),
        ("return [[{'label': 'up', 'score': float('nan')}]]", r"does not answer with .*ValueError"),
        ("return [[{'label': 'up', 'score': 1.0}]]", r"has the labels \['up'\], not \['down', 'up'\]"),
        (f"return {ANSWER.replace('0.25', '0.26')}", r"probabilities differ by 0\.01, allowed is 1e-06"),
        ("os._exit(0)", "does not answer with"),
        ("sys.exit('gone')", r"handler\.py: gone"),
    ],
)
def test_a_handler_that_does_not_answer_as_the_release_ends_the_run(
    call: str, told: str, tmp_path: Path
) -> None:
    write_handler(tmp_path, call)
    with pytest.raises(ReleaseError, match=told):
        measure_handler(tmp_path, [SAID])


def test_what_a_handler_prints_is_no_answer(tmp_path: Path) -> None:
    write_handler(tmp_path, f"print(data, end=''); return {ANSWER}")
    assert len(measure_handler(tmp_path, [SAID])) == 1


def test_metrics_from_before_have_no_runtimes(run: Path, tmp_path: Path) -> None:
    tree = json.loads((run / "release" / METRICS).read_text(encoding="utf-8"))
    assert tree.pop("runtimes")[0]["name"] == HANDLER
    (tmp_path / METRICS).write_text(json.dumps(tree), encoding="utf-8")
    metrics = read_metrics(tmp_path / METRICS)
    assert metrics.runtimes == [] and metrics.run_of(HANDLER) is None

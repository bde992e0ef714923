from __future__ import annotations

import csv
import io
import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from finsent.release import ABSTAIN_BELOW, CONFIG
from inference.classifier import Classifier
from local_hub import HubSettings, running_hub
from tests import tiny

TEXTS = ["Arvo profit rose", "Belmi warns on sales", "Cando opens lease, on Monday"]


def classify(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "finsent.classify", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, cwd=tiny.ROOT, input=stdin, capture_output=True, text=True, timeout=120, env=environment,
        check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def answers(tiny_release: Path) -> list[tuple[str, float]]:
    return [(one.label, one.score) for one in Classifier(tiny_release).classify(TEXTS)]


def test_texts_of_the_command_line_are_answered_as_the_classifier_does(
    tiny_release: Path, answers: list[tuple[str, float]]
) -> None:
    done = classify(str(tiny_release.parent), *TEXTS)  # the run, as train.py leaves it
    assert done.returncode == 0 and done.stderr == ""
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["text"] for one in found] == TEXTS
    assert [one["label"] for one in found] == [label for label, _ in answers]
    assert [one["score"] for one in found] == pytest.approx([score for _, score in answers], abs=1e-6)
    assert all(sum(one["scores"].values()) == pytest.approx(1, abs=1e-5) for one in found)


@pytest.mark.parametrize("way", ["stdin", "dash", "lines", "table"])
def test_texts_come_from_wherever_they_are(
    way: str, tiny_release: Path, answers: list[tuple[str, float]], tmp_path: Path
) -> None:
    lines, table = tmp_path / "lines.txt", tmp_path / "news.csv"
    lines.write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    table.write_text(
        "id;title\n" + "".join(f"{n};{text}\n" for n, text in enumerate(TEXTS)), encoding="utf-16"
    )
    arguments = {"stdin": [], "dash": ["-"], "lines": [str(lines)], "table": [str(table), "--text", "title"]}[
        way
    ]
    stdin = "\n".join(TEXTS) if way in ("stdin", "dash") else ""
    done = classify(str(tiny_release), *arguments, "--format", "csv", stdin=stdin)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["text"], row["label"]) for row in rows] == list(
        zip(TEXTS, (a for a, _ in answers), strict=True)
    )
    assert set(rows[0]) == {"text", "label", "score", *tiny.LABELS}


def test_a_terminal_gets_a_table_that_no_text_steers(tiny_release: Path) -> None:
    main, terminal = pty.openpty()
    command = [sys.executable, "-m", "finsent.classify", str(tiny_release), "Profit \x1b[31mrose [bold]"]
    done = subprocess.run(command, cwd=tiny.ROOT, stdout=terminal, stderr=terminal, timeout=120, check=False)
    os.close(terminal)
    told = os.read(main, 10_000).decode()
    os.close(main)
    assert done.returncode == 0
    assert "Probability" in told and "Profit \ufffd[31mrose [bold]" in told


def test_an_answer_below_the_threshold_is_called_unsure(tiny_release: Path, tmp_path: Path) -> None:
    release = Path(shutil.copytree(tiny_release, tmp_path / "release"))
    config = tiny.read_json(release / CONFIG)
    for threshold, unsure in ((0.01, False), (1.1, True)):
        (release / CONFIG).write_text(json.dumps(config | {ABSTAIN_BELOW: threshold}), encoding="utf-8")
        assert json.loads(classify(str(release), "Profit rose").stdout)["unsure"] is unsure


def test_a_hub_id_is_fetched_from_the_hub_that_is_named(
    tiny_release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)  # the plain way suffices here
    with running_hub(HubSettings(tmp_path / "hub", organizations=("me",))) as hub:
        monkeypatch.setattr(
            "huggingface_hub.constants.ENDPOINT", hub.endpoint
        )  # it reads addresses with that
        api = HfApi(hub.endpoint, hub.token)
        api.create_repo("me/tiny")
        api.upload_folder(repo_id="me/tiny", folder_path=tiny_release)
        home = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "home")}
        done = classify("me/tiny", "Arvo profit rose", **home)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["label"] == Classifier(tiny_release)("Arvo profit rose").label
        missing = classify("me/nothing", "Profit rose", **home)
    assert missing.returncode == 1 and missing.stdout == ""
    assert "me/nothing: cannot be loaded (" in missing.stderr and "give a run" in missing.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "x"], "nowhere: cannot be loaded ('nowhere' is neither a folder nor a Hub id"),
        (["RELEASE", "mistyped.csv"], "mistyped.csv: no such file"),
        (
            ["RELEASE", "TABLE", "--text", "body"],
            "has no column 'body'; choose another with --text: 'title', 'n'",
        ),
    ],
)
def test_what_a_person_mistypes_ends_in_one_line(
    arguments: list[str], message: str, tiny_release: Path, tmp_path: Path
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("title,n\nup,1\ndown,2\n", encoding="utf-8")
    places = {"RELEASE": str(tiny_release), "TABLE": str(table)}
    done = classify(*(places.get(one, one) for one in arguments))
    assert done.returncode == 1 and done.stdout == ""
    assert message in done.stderr and len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith("classify.py: ")


def test_a_reader_that_has_seen_enough_is_no_error(tiny_release: Path) -> None:
    command = f"yes Profit rose | head -20000 | {sys.executable} -m finsent.classify {tiny_release} | head -1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tiny.ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stderr == "" and json.loads(done.stdout)["text"] == "Profit rose"

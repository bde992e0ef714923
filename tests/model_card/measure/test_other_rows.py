from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from finsent.data.tables.table import Table
from finsent.recipe.file import load_recipe
from finsent.release import sha256
from finsent.scoring import score
from inference.classifier import Classifier
from model_card.measure.__main__ import app
from model_card.measure.other_rows import OtherScores, find_columns, score_on, take_rows
from tests import tiny

OTHERS = [
    ("Gamda profit fell in May", "negative"),
    ("Hapto opens lease in May", "neutral"),
    ("Iskra profit rose in May", "positive"),
    ("Jolna beats forecast in May", "negative"),  # wrong on purpose, so that not all answers are right
]


def measure(*arguments: str | Path, folder: Path) -> Result:
    with contextlib.chdir(folder):
        return CliRunner().invoke(app, [str(one) for one in arguments], env={"COLUMNS": "120"})


def write(path: Path, text: str = "text", label: str = "label") -> Path:
    return tiny.write_csv(path, [{text: one, label: name} for one, name in OTHERS])


def test_scores_are_those_of_the_classifier(tiny_release: Path, tmp_path: Path) -> None:
    found = score_on(str(tiny_release), [write(tmp_path / "others.csv")])
    classifier = Classifier(tiny_release)
    probabilities = classifier.predict([text for text, _ in OTHERS])
    labels = [classifier.labels.index(name) for _, name in OTHERS]
    assert found.scores == score(probabilities, np.array(labels), classifier.labels, 100, 1)
    assert found.release == "tiny"  # not the folder on this machine
    assert found.scores.n == 4 and sum(map(sum, found.scores.confusion)) == 4
    metrics = tiny.read_json(tiny_release / "metrics.json")
    own = next(one for one in metrics["variants"] if one["file"] == found.file)
    assert found.own is not None and found.own.accuracy == own["scores"]["accuracy"]


def test_the_command_prints_and_writes_and_leaves_the_release_alone(
    tiny_release: Path, tmp_path: Path
) -> None:
    before = {path: sha256(path) for path in tiny_release.rglob("*") if path.is_file()}
    write(tmp_path / "others.csv", "body", "tone")
    columns = ["--text", "body", "--label", "tone"]
    done = measure(tiny_release, "others.csv", *columns, folder=tmp_path)
    assert done.exit_code == 0, done.stderr
    found = OtherScores.model_validate_json((tmp_path / "others.scores.json").read_text(encoding="utf-8"))
    assert (found.text, found.label, found.data) == ("body", "tone", ["others.csv"])
    interval = found.scores.macro_f1_interval
    told = f"macro F1 {found.scores.macro_f1:.3f} ({interval.low:.3f} to {interval.high:.3f}); "
    assert told in done.stdout and "Class / answer" in done.stdout and "Precision" in done.stdout
    assert {path: sha256(path) for path in tiny_release.rglob("*") if path.is_file()} == before
    again = measure(tiny_release, "others.csv", *columns, "--out", "deep/x.json", folder=tmp_path)
    assert json.loads((tmp_path / "deep" / "x.json").read_text(encoding="utf-8"))["scores"]["n"] == 4, (
        again.stderr
    )


def test_train_scores_the_release_that_is_there(tiny_release: Path, tmp_path: Path) -> None:
    runs = Path(shutil.copytree(tiny_release.parents[1], tmp_path / "runs"))
    path = write(tmp_path / "others.csv")
    done = tiny.run_train(tiny_release.parents[2] / "tiny.yaml", runs, "--evaluate-on", str(path))
    assert done.returncode == 0 and "training" not in done.stderr and "accuracy" in done.stdout
    assert tiny.read_json(runs / "tiny" / "others.scores.json")["scores"]["n"] == 4
    assert sha256(runs / "tiny" / "release" / "metrics.json") == sha256(tiny_release / "metrics.json")


def test_labels_are_mapped_as_the_recipe_maps_them(tmp_path: Path, tiny_base: Path) -> None:
    tree = tiny.recipe_tree(tmp_path, tiny_base)
    tree["data"]["sources"][0] |= {
        "text": "body",
        "labels": {"0": "negative", "1": "positive", "unclear": None},
    }
    recipe = load_recipe(tiny.write_recipe(tmp_path, tiny_base, data=tree["data"]))
    values = ["0", "1", "unclear", "neutral", "1"]  # the release's own labels are known, too
    table = Table("o.csv", {"title": ["Now"] * 5, "body": ["up and down"] * 5, "label": values})
    columns = find_columns(table, recipe, None, None)
    assert (columns.text.name, columns.label.name) == ("body", "label")
    texts, labels, left_out = take_rows(table, columns, recipe)
    assert (len(texts), labels, left_out) == (4, ["negative", "positive", "neutral", "positive"], 1)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (
            "text,label\nup,positive\ndown,gloomy\n",
            [],
            "o.csv, row 2: unknown label 'gloomy' in column 'label'",
        ),
        ("text,label\nup,positive\n", ["--text", "body"], "has no column 'body'; choose another with --text"),
        (None, [], "o.csv: no such file"),
    ],
)
def test_what_cannot_be_scored_is_said_in_a_line(
    content: str | None, options: list[str], message: str, tiny_release: Path, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "o.csv").write_text(content, encoding="utf-8")
    done = measure(tiny_release, "o.csv", *options, folder=tmp_path)
    assert done.exit_code == 1 and done.stdout == "" and not list(tmp_path.glob("*.json"))
    assert message in done.stderr.splitlines()[-1]

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from finsent.data.inspection import inspect_splits
from finsent.data.splits import load_splits
from finsent.data.telling import print_tables
from finsent.encoder.reading import read_base
from finsent.recipe.recipe import Recipe
from tests import tiny


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "finsent.data.check", *arguments]
    return subprocess.run(command, cwd=tiny.ROOT, capture_output=True, text=True, check=False, timeout=240)


def test_lines_are_printed_where_nobody_watches(tmp_path: Path, tiny_base: Path) -> None:
    done = check(str(tiny.write_recipe(tmp_path, tiny_base)))
    assert done.returncode == 0, done.stderr
    assert "rows: all: train 54, validation 18, test 18\n" in done.stdout
    assert "caution: The test split has 18 rows" in done.stdout
    assert "measured here on 3 steps with 1 threads" in done.stdout
    assert not set("│┃━\x1b") & set(done.stdout)


def test_json_holds_all_of_it(tmp_path: Path, tiny_base: Path) -> None:
    done = check(str(tiny.write_recipe(tmp_path, tiny_base)), "--json", "--no-estimate")
    found = json.loads(done.stdout)
    assert found["rows"]["train"] == {"negative": 18, "neutral": 18, "positive": 18}
    assert found["training"] is None and found["near_duplicate_method"] == "exact"


def test_texts_without_labels_are_read_and_what_was_left_out_is_told(tmp_path: Path, tiny_base: Path) -> None:
    data = tiny.recipe_tree(tmp_path, tiny_base)["data"]
    (tmp_path / "a.txt").write_text("Profit rose well\nUp\n== 12 ==\nDown it went\n", encoding="utf-8")
    source = {"name": "news", "title": "News", "licence": "mit", "path": ".", "files": ["*.txt"]}
    data["unlabelled"] = [source | {"min_characters": 5, "min_letters": 0.7}]
    file = tiny.write_recipe(tmp_path, tiny_base, data=data)
    done = check(str(file), "--no-estimate")
    assert done.returncode == 0, done.stderr
    assert "without labels: news: 2 texts of 28 characters\n" in done.stdout
    assert "left out of news: shorter than min_characters: texts 1, for example Up\n" in done.stdout
    assert "fewer letters and digits than min_letters: texts 1, for example == 12 ==\n" in done.stdout


def test_rows_that_cannot_be_split_are_an_error_of_one_line(tmp_path: Path, tiny_base: Path) -> None:
    recipe = tiny.write_recipe(tmp_path, tiny_base)
    few = [one for one in tiny.make_rows() if one["label"] != "neutral"]
    tiny.write_csv(tmp_path / "rows.csv", [*few, {**few[0], "text": "one", "label": "neutral"}])
    done = check(str(recipe))
    assert done.returncode == 1 and done.stdout == ""
    assert "label 'neutral' has too few rows" in done.stderr and "Traceback" not in done.stderr


def test_a_terminal_is_given_tables(tiny_recipe: Recipe) -> None:
    splits = load_splits(tiny_recipe)
    found = inspect_splits(tiny_recipe, splits, read_base(tiny_recipe, None).measure)
    screen = io.StringIO()
    print_tables(found, Console(file=screen, width=100, force_terminal=True, color_system=None))
    shown = screen.getvalue()
    assert "┃ label    ┃ train ┃ validation ┃ test ┃" in shown
    assert "In no split" not in shown  # an empty table is left out

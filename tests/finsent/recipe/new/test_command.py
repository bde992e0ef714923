from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas
import pytest
from typer.testing import CliRunner, Result

from finsent.data.splits import load_splits
from finsent.recipe.data import TableSource
from finsent.recipe.file import load_recipe
from finsent.recipe.new.__main__ import app
from finsent.recipe.recipe import Recipe
from tests.tiny import ROOT

ITEMS = ["the kettle", "a small lamp", "this chair", "the blue rug", "a clock", "her bike", "the old radio"]
HAM = "I will bring {} on day {}"
SPAM = "Win {} now, reply {} times"


def make_rows(count: int = 60) -> list[dict[str, str]]:
    rows = []
    for number in range(count):
        pattern, label = (HAM, "ham") if number % 2 else (SPAM, "spam")
        rows.append({"body": pattern.format(ITEMS[number % 7], number), "kind": label})
    return rows


def write_table(path: Path, rows: list[dict[str, str]] | None = None, delimiter: str = ",") -> Path:
    pandas.DataFrame(rows or make_rows()).to_csv(path, sep=delimiter, index=False)
    return path


def new(*arguments: str | Path, folder: Path) -> Result:
    """Run the command in a folder; it prints the recipe's path, and says all else on stderr."""
    with contextlib.chdir(folder):
        return CliRunner().invoke(app, [str(one) for one in arguments])


def made(done: Result, folder: Path) -> Recipe:
    assert done.exit_code == 0, done.stderr
    return load_recipe(folder / done.stdout.strip())


def test_a_table_becomes_a_recipe_that_reads_it(tmp_path: Path) -> None:
    write_table(tmp_path / "sms.csv")
    done = new("sms.csv", folder=tmp_path)
    recipe = made(done, tmp_path)
    assert done.stdout == "recipes/sms.yaml\n"
    source = recipe.data.sources[0]
    assert (recipe.labels, source.path, source.files) == (["ham", "spam"], "..", {"train": ["sms.csv"]})
    assert not source.show_texts and source.licence == "other"
    splits = load_splits(recipe)
    assert {row.label for row in splits.test} == {row.label for row in splits.validation} == {"ham", "spam"}
    written = (tmp_path / "recipes" / "sms.yaml").read_text(encoding="utf-8")
    assert str(tmp_path) not in written and all(row["body"] not in written for row in make_rows())
    assert "# Guessed: the only column with few distinct values: 2." in written
    told = [line for line in done.stderr.splitlines() if "TO FILL IN" in line]
    assert len(told) >= 6 and all(line.startswith("recipes/sms.yaml:") for line in told)
    numbers = [int(line.split(":")[1]) for line in told]
    assert all("TO FILL IN" in written.splitlines()[number - 1] for number in numbers)


def test_every_answer_is_an_option_too(tmp_path: Path) -> None:
    write_table(tmp_path / "sms.csv")
    options = ["--unit", "message/messages", "--meaning", "ham=from a person", "--meaning", "spam=an advert"]
    options += [
        "--licence",
        "cc-by-nc-4.0",
        "--repo-id",
        "ann/sms",
        "--author",
        "Ann",
        "--title",
        "Sms filter",
    ]
    recipe = made(new("sms.csv", *options, "--show-texts", "--out", "mine.yaml", folder=tmp_path), tmp_path)
    card = recipe.card
    assert (card.title, card.licence, card.authors) == ("Sms filter", "cc-by-nc-4.0", ["Ann"])
    assert card.label_meanings == {"ham": "from a person", "spam": "an advert"} and card.tones == {}
    assert (card.unit.one, card.unit.many, recipe.hub.model) == ("message", "messages", "ann/sms")
    texts = {row["body"]: row["kind"] for row in make_rows()}
    assert {texts[example.text] for example in card.examples} == {"ham", "spam"}
    assert all(texts[example.text] == example.expected for example in card.examples)
    given = made(new("sms.csv", "--example", "spam=Win a car", "--out", "b.yaml", folder=tmp_path), tmp_path)
    assert [(one.text, one.expected) for one in given.card.examples] == [("Win a car", "spam")]


@pytest.mark.parametrize(
    "kind", ["tsv", "utf-16", "txt", "jsonl", "ndjson", "json", "parquet", "xlsx", "csv.gz", "csv.zip"]
)
def test_files_of_every_kind_are_read(kind: str, tmp_path: Path) -> None:
    frame = pandas.DataFrame(make_rows())
    path = tmp_path / f"rows.{'csv' if kind == 'utf-16' else kind}"
    if kind == "tsv":
        frame.to_csv(path, sep="\t", index=False, header=False)
    elif kind == "utf-16":
        frame.to_csv(path, sep=";", index=False, encoding="utf-16")
    elif kind == "txt":
        frame.to_csv(path, sep="\t", index=False)
    elif "json" in kind:
        frame.to_json(path, orient="records", lines=kind != "json")
    elif kind in ("parquet", "xlsx"):
        getattr(frame, f"to_{kind.replace('xlsx', 'excel')}")(path, index=False)
    else:
        frame.to_csv(path, index=False)
    recipe = made(new(path.name, "--out", "r.yaml", folder=tmp_path), tmp_path)
    assert len(load_splits(recipe).train) > 20 and recipe.labels == ["ham", "spam"]


def test_files_named_after_splits_are_those_splits(tmp_path: Path) -> None:
    (tmp_path / "sms").mkdir()
    for index, name in enumerate(("train", "dev", "test")):
        write_table(tmp_path / "sms" / f"{name}.csv", make_rows(180)[index * 60 : index * 60 + 60])
    recipe = made(new("sms/train.csv", "sms/dev.csv", "sms/test.csv", folder=tmp_path), tmp_path)
    assert recipe.name == "sms" and recipe.data.sources[0].path == "../sms"
    assert recipe.data.sources[0].files == {
        "train": ["train.csv"],
        "validation": ["dev.csv"],
        "test": ["test.csv"],
    }


def test_a_hub_data_set_is_looked_for_in_the_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINSENT_MIRROR", str(tmp_path / "mirror"))
    folder = tmp_path / "mirror" / "datasets" / "ann" / "sms-rows"
    (folder / "data").mkdir(parents=True)
    write_table(folder / "data" / "train.csv")
    write_table(folder / "data" / "test.csv", [{**row, "body": f"{row['body']} ok"} for row in make_rows(20)])
    (folder / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n# rows\n", encoding="utf-8")
    source = made(new("ann/sms-rows", folder=tmp_path), tmp_path).data.sources[0]
    assert (source.hub, source.licence, source.path) == ("ann/sms-rows", "cc-by-4.0", None)
    assert source.files == {"train": ["data/train.csv"], "test": ["data/test.csv"]}


def test_a_recipe_that_is_there_is_kept(tmp_path: Path) -> None:
    write_table(tmp_path / "sms.csv")
    (tmp_path / "mine.yaml").write_text("mine", encoding="utf-8")
    done = new("sms.csv", "--out", "mine.yaml", folder=tmp_path)
    assert done.exit_code == 1 and "mine.yaml: exists already; choose another with --out" in done.stderr
    assert (tmp_path / "mine.yaml").read_text(encoding="utf-8") == "mine"
    assert made(new("sms.csv", "--out", "mine.yaml", "--force", folder=tmp_path), tmp_path).name == "sms"


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        ("", ["none.csv"], "none.csv: no such file, or one data set of the Hub as owner/name"),
        ("", ["."], ".: is a folder; give its files"),
        ("text,label\n" + "up,a\ndown,b\n" * 3, ["t.csv"], "two labels with 8 rows or more are needed"),
        ("text\nup\n", ["t.csv"], "t.csv: has one column"),
        ("text,label\n" + "up,a\ndown,b\n" * 9 + ",a\n", ["t.csv"], "t.csv, line 20: the text is empty"),
        ("text,label\nup,a\n", ["t.csv", "--unit", "a/b/c"], "--unit: got 'a/b/c'"),
        ("text,label\nup,a\n", ["t.csv", "--licence", "mine"], "licence 'mine' is not known"),
        ("text,label\nup,a\n", ["t.csv", "--repo-id", "mine"], "--repo-id: 'mine': is not a repository id"),
        ("text,label\nup,a\n", ["t.csv", "--meaning", "a"], "--meaning: got 'a'; write it as LABEL=WORDS"),
        (
            "text,label\n" + "up,a\ndown,b\n" * 9,
            ["t.csv", "--meaning", "c=x"],
            "there is no label 'c'; the labels are",
        ),
        ("%PDF", ["t.pdf"], "t.pdf: is not a table; allowed are .csv"),
    ],
)
def test_what_cannot_be_done_ends_in_one_line(
    content: str, arguments: list[str], message: str, tmp_path: Path
) -> None:
    for name in ("t.csv", "t.pdf"):
        (tmp_path / name).write_text(content, encoding="utf-8")
    done = new(*arguments, folder=tmp_path)
    assert done.exit_code == 1 and done.stdout == "" and isinstance(done.exception, SystemExit)
    assert message in done.stderr.splitlines()[-1]
    assert not list(tmp_path.rglob("*.yaml*"))


def test_a_person_is_asked_what_no_file_tells(tmp_path: Path) -> None:
    write_table(tmp_path / "sms.csv")
    answers = [
        "",
        "message",
        "from a person",
        "an advert",
        "nonsense",
        "cc0-1.0",
        "ann",
        "ann/sms",
        "n",
        "",
        "Win!",
    ]
    told = _at_a_terminal(tmp_path, ["sms.csv"], answers)
    recipe = load_recipe(tmp_path / "recipes" / "sms.yaml")
    assert recipe.card.unit.many == "messages" and recipe.card.title == "Sms"
    assert recipe.card.label_meanings == {"ham": "from a person", "spam": "an advert"}
    assert (recipe.data.sources[0].licence, recipe.hub.model) == ("cc0-1.0", "ann/sms")
    assert [(one.text, one.expected) for one in recipe.card.examples] == [("Win!", "spam")]
    assert "'nonsense' is not known" in told and "'ann': is not a repository id" in told  # and asked again


def _at_a_terminal(folder: Path, arguments: list[str], answers: list[str]) -> str:
    """Run the command on a terminal with answers typed ahead, and return what stood there."""
    main, terminal = pty.openpty()
    os.write(main, "".join(f"{answer}\n" for answer in answers).encode())
    command = [sys.executable, "-m", "finsent.recipe.new", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=folder, stdin=terminal, stdout=terminal, stderr=terminal, env=environment
    ) as process:
        os.close(terminal)
        told = b""
        while True:
            try:
                told += os.read(main, 4096)
            except OSError:  # the other end is closed
                break
    os.close(main)
    assert process.returncode == 0, told.decode()
    return told.decode()


def test_a_part_of_a_file_is_named(tmp_path: Path) -> None:
    frame = pandas.DataFrame(make_rows())
    with pandas.ExcelWriter(tmp_path / "book.xlsx") as book:
        pandas.DataFrame({"note": ["see the other sheet"]}).to_excel(book, sheet_name="read me", index=False)
        frame.to_excel(book, sheet_name="rows", index=False)
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as packed:
        packed.writestr("about.txt", "nothing")
        packed.writestr("rows.csv", frame.to_csv(index=False))
    for name, option, part in (("book.xlsx", "--sheet", "rows"), ("two.zip", "--member", "rows.csv")):
        refused = new(name, folder=tmp_path)
        assert refused.exit_code == 1 and f"`{option.strip('-')}`" in refused.stderr
        source = made(new(name, option, part, folder=tmp_path), tmp_path).data.sources[0]
        assert isinstance(source, TableSource) and part in (source.sheet, source.member)


def test_long_texts_get_positions(tmp_path: Path) -> None:
    rows = [{**row, "body": f"{row['body']} <br /> " + "and so on " * 90} for row in make_rows()]
    write_table(tmp_path / "long.csv", rows)
    recipe = made(new("long.csv", folder=tmp_path), tmp_path)
    assert recipe.text.drop_tags and recipe.text.max_characters == 1000
    assert recipe.base.positions == 1012 and recipe.training.max_tokens == 256

"""The headlines keep what their card promises, and every rule of the check is seen to fail."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import pytest
from datasets import load_dataset
from huggingface_hub import DatasetCard

from data.headlines.card import BEGIN, CARD, agreement, describe_second_reading, make_block, write_card
from data.headlines.check import check_corpus
from data.headlines.corpus import (
    COLUMNS,
    EVENTS,
    FILES,
    FOLDER,
    KINDS,
    LABELS,
    SECOND_LABELS,
    SPLITS,
    Headline,
    SecondLabel,
    read_corpus,
    read_second_labels,
)
from data.headlines.rules import Limits
from tests.data.test_headlines_overlap import make_mirror, make_row
from tests.tiny import ROOT

Table = list[dict[str, str]]
SMALL = Limits(
    rows=120,
    test_rows=10,
    event_rows=6,
    opening_share=0.02,
    kinds=MappingProxyType({kind: 2 for kind in KINDS}),
)


def choose_rows() -> list[Headline]:
    """Two rows an event and label and two groups a kind: a corpus in small that breaks no rule."""
    rows = sorted(read_corpus(FOLDER)[0], key=lambda row: (row.split != "test", row.id))
    chosen: dict[str, list[Headline]] = defaultdict(list)
    for row in rows:
        key = row.pair or f"{row.event} {row.label}"
        if row.pair or len(chosen[key]) < 2:
            chosen[key].append(row)
    for kind in KINDS:
        for key in [key for key in chosen if key.startswith(f"{kind}-")][2:]:
            del chosen[key]
    return sorted((row for some in chosen.values() for row in some), key=lambda row: (row.split, row.id))


def write_tables(folder: Path, rows: Table) -> None:
    """Write each row into its file."""
    for name in FILES:
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(row for row in rows if row["file"] == name)


@pytest.fixture
def table() -> Table:
    return [{column: getattr(row, column) for column in (*COLUMNS, "file")} for row in choose_rows()]


@pytest.fixture
def folder(tmp_path: Path, table: Table) -> Path:
    write_tables(tmp_path, table)
    shutil.copy(FOLDER / CARD, tmp_path / CARD)
    rows, _ = read_corpus(tmp_path)
    write_card(tmp_path, make_block(rows, []))
    return tmp_path


def say(folder: Path) -> str:
    return "\n".join(str(finding) for finding in check_corpus(folder, SMALL)[0])


def test_the_corpus_passes() -> None:
    findings, block = check_corpus(FOLDER, Limits())
    assert [str(finding) for finding in findings] == []
    assert block in (FOLDER / CARD).read_text(encoding="utf-8")


def test_the_small_corpus_passes(folder: Path) -> None:
    assert say(folder) == ""


def of_kind(rows: Table, kind: str) -> Table:
    """The rows of the first group of a kind."""
    key = min(row["pair"] for row in rows if row["pair"].startswith(kind))
    return [row for row in rows if row["pair"] == key]


def set_all(rows: Table, column: str, value: str) -> None:
    for row in rows:
        row[column] = value


def of_event(rows: Table, event: str) -> Table:
    return [row for row in rows if row["event"] == event]


def drop(rows: Table, unwanted: Table) -> None:
    rows[:] = [row for row in rows if row not in unwanted]


def other_split(row: dict[str, str]) -> str:
    return "train" if row["split"] == "test" else "test"


def begin_alike(rows: Table) -> None:
    for number, row in enumerate(rows[:6]):
        row["text"] = f"Profit of the quarter {'abcdef'[number] * 40}"


def turn(row: dict[str, str]) -> None:
    row["label"] = LABELS[(LABELS.index(row["label"]) + 1) % 3]


BREAKS: dict[str, tuple[Callable[[Table], object], str]] = {
    "label": (lambda rows: rows[0].update(label="Positive"), r"test\.csv:2: label 'Positive'; allowed"),
    "event": (lambda rows: rows[0].update(event="sport"), "event 'sport'; allowed"),
    "style": (lambda rows: rows[0].update(style=""), "style ''; allowed"),
    "split": (lambda rows: rows[0].update(split="dev"), "split 'dev'; allowed"),
    "file": (lambda rows: rows[0].update(file="train.csv"), r"split 'test' in train\.csv"),
    "pair": (lambda rows: rows[0].update(pair="contrast1"), "pair 'contrast1'; write"),
    "kind": (lambda rows: rows[0].update(pair="irony-a001"), "pair 'irony-a001'; write"),
    "id": (lambda rows: rows[0].update(id="1"), "id '1'; write h"),
    "same id": (
        lambda rows: rows[1].update(id=rows[0]["id"]),
        r"test\.csv:3: id '.*' is that of test\.csv:2",
    ),
    "empty": (lambda rows: rows[0].update(text=" "), "text is empty"),
    "control": (lambda rows: rows[0].update(text=rows[0]["text"] + "\x07"), r"control character '\\x07'"),
    "zero width": (
        lambda rows: rows[0].update(text="\u200b" + rows[0]["text"]),
        r"control character '\\u200b'",
    ),
    "line break": (lambda rows: rows[0].update(text=rows[0]["text"] + "\nand"), r"control character '\\n'"),
    "blanks": (lambda rows: rows[0].update(text=rows[0]["text"] + " "), "blanks around"),
    "form": (lambda rows: rows[0].update(text="Yhtio\u0308n tulos parani selva\u0308sti"), "form NFC"),
    "short": (lambda rows: rows[0].update(text="Profit up"), "2 words; a text has 3 to 60"),
    "long": (lambda rows: rows[0].update(text=" ".join(map(str, range(61)))), "61 words"),
    "rows": (lambda rows: drop(rows, rows[5:]), r"^\*\.csv: \d+ rows; write at least 120"),
    "test rows": (lambda rows: drop(rows, [row for row in rows if row["split"] == "test"]), "0 test rows"),
    "few": (lambda rows: drop(rows, of_event(rows, "crypto")[1:]), "event 'crypto': 1 rows"),
    "no negative": (
        lambda rows: set_all(
            [r for r in of_event(rows, "macro") if r["label"] == "negative"], "label", "neutral"
        ),
        "event 'macro': no row is negative",
    ),
    "majority": (
        lambda rows: set_all(of_event(rows, "macro")[1:], "label", "positive"),
        r"event 'macro': \d+ of \d+ rows are positive",
    ),
    "duplicate": (lambda rows: rows[3].update(text=rows[0]["text"].upper() + "!"), "same letters and digits"),
    "sign in a pair": (
        lambda rows: [
            row.update(text=f"$XWQ sales {s}3.4%")
            for row, s in zip(of_kind(rows, "contrast"), "+-", strict=True)
        ],
        "same letters and digits",
    ),
    "near": (lambda rows: rows[3].update(text=rows[0]["text"] + " now"), r"0\.\d\d alike to test\.csv:2"),
    "near, not in its pair": (
        lambda rows: of_kind(rows, "numeric")[0].update(text=of_kind(rows, "negation")[0]["text"] + " now"),
        r"0\.\d\d alike to test\.csv",
    ),
    "openings": (begin_alike, "6 texts begin with 'profit of the quarter'"),
    "three in contrast": (
        lambda rows: rows[0].update(pair=of_kind(rows, "contrast")[0]["pair"]),
        "has 3 rows; a contrast pair has two",
    ),
    "one label": (
        lambda rows: set_all(of_kind(rows, "contrast"), "label", "neutral"),
        "has one label, neutral",
    ),
    "lone paraphrase": (
        lambda rows: drop(rows, of_kind(rows, "paraphrase")[1:]),
        "has 1 rows; paraphrases come in twos or threes",
    ),
    "paraphrase labels": (lambda rows: turn(of_kind(rows, "paraphrase")[0]), "paraphrases share one"),
    "decoy": (lambda rows: turn(of_kind(rows, "decoy")[0]), "is not neutral; a decoy is"),
    "shared key": (
        lambda rows: rows[0].update(pair=of_kind(rows, "numeric")[0]["pair"]),
        "has 2 rows; give each a key of its own",
    ),
    "crossing": (
        lambda rows: of_kind(rows, "contrast")[0].update(split=other_split(of_kind(rows, "contrast")[0])),
        r"crosses splits \((train|test)\.csv:\d+, ",
    ),
    **{
        f"no {kind}": (
            lambda rows, kind=kind: drop(rows, [row for row in rows if row["pair"].startswith(kind)]),  # type: ignore[misc]
            f"0 groups of kind '{kind}'; write at least 2",
        )
        for kind in KINDS
    },
}


@pytest.mark.parametrize("name", BREAKS)
def test_each_rule_trips(name: str, folder: Path, table: Table) -> None:
    mutate, message = BREAKS[name]
    mutate(table)
    write_tables(folder, table)
    assert re.search(message, say(folder), re.MULTILINE), say(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,text\n", r"test\.csv:1: header is 'id,text'; write id,text,label"),
        (b"\xef\xbb\xbfid,text,label,event,style,pair,split\n", r"test\.csv:1: header is '\\ufeffid"),
        (b"", r"test\.csv:1: header is ''"),
        (
            b"id,text,label,event,style,pair,split\nh0001,a, b,c,d,e,f,g,h\n",
            r"test\.csv:2: 9 fields instead of 7",
        ),
        (b"id,text,label,event,style,pair,split\nh0001,\xe4\n", r"test\.csv:2: byte 43 is not UTF-8"),
        (b'id,text,label,event,style,pair,split\nh0001,"a" b\n', r"test\.csv:2: is not CSV"),
    ],
)
def test_what_cannot_be_read_is_named(content: bytes, message: str, folder: Path) -> None:
    (folder / "test.csv").write_bytes(content)
    assert re.search(message, say(folder)), say(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "validation.csv").unlink()
    assert say(folder).startswith("validation.csv: is missing; write it with the header id,text,")


def test_a_stale_card_is_found_and_rewritten(folder: Path, table: Table) -> None:
    table[0]["text"] += " on a Tuesday in May"
    write_tables(folder, table)
    assert re.search(r"README\.md:\d+: statistics are '.*', the rows give '.*'; run `python", say(folder))
    assert check_corpus(folder, SMALL, write=True)[0] == []
    assert say(folder) == ""


def test_a_broken_corpus_leaves_the_card_alone(folder: Path, table: Table) -> None:
    before = (folder / CARD).read_bytes()
    table[0]["label"] = "good"
    write_tables(folder, table)
    assert check_corpus(folder, SMALL, write=True)[0]
    assert (folder / CARD).read_bytes() == before


def test_a_card_without_markers_is_named(folder: Path) -> None:
    text = (folder / CARD).read_text(encoding="utf-8")
    (folder / CARD).write_text(text.replace(BEGIN, ""), encoding="utf-8")
    assert "README.md: needs the lines" in say(folder)
    (folder / CARD).unlink()
    assert say(folder).startswith("README.md: is missing")


def test_agreement_and_kappa_by_hand() -> None:
    pairs = [("negative", "negative")] * 4 + [("positive", "positive")] * 4 + [("negative", "positive")] * 2
    # chance: 0.6 * 0.4 + 0.4 * 0.6 = 0.48; kappa = (0.8 - 0.48) / (1 - 0.48)
    assert agreement(pairs) == pytest.approx((0.8, 0.32 / 0.52))
    assert agreement([("neutral", "neutral")] * 3) == (1.0, 0.0)
    with pytest.raises(ValueError, match="no labels"):
        agreement([])


def test_second_reading_is_compared_with_the_first_labels() -> None:
    rows = [make_row(1, "One two three", "positive"), make_row(2, "Four five six", "neutral", "test")]
    second = [
        SecondLabel("h0001", "neutral", "positive", 2),  # mended since
        SecondLabel("h0002", "neutral", "neutral", 3),
        SecondLabel("h0003", "negative", "positive", 4),  # dropped since
        SecondLabel("h0004", "positive", "positive", 5),  # dropped since
    ]
    text = describe_second_reading(second, rows)
    assert "1 of these labels were changed and 2 of these rows were dropped" in text
    assert (
        "| all | 4 | 50.0% |" in text and "| train | 1 | 0.0% |" in text and "| test | 1 | 100.0% |" in text
    )
    assert "as they were first given" in text and "the same annotator" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,first,second\nh0001,neutral,good\n", r"second_labels\.csv:2: label 'good'"),
        ("id,first,second\nh9,neutral,neutral\nh9,neutral,neutral\n", r":3: id 'h9' appears twice"),
        ("id,label\nh99999,neutral\n", r":2: id 'h99999' is in no split; add a column 'first'"),
        ("id;label\n", r"second_labels\.csv:1: header is 'id;label'"),
    ],
)
def test_broken_second_labels_are_named(content: str, message: str, folder: Path) -> None:
    (folder / SECOND_LABELS).write_text(content, encoding="utf-8")
    assert re.search(message, say(folder)), say(folder)


def test_second_labels_without_the_first_are_compared_with_the_rows(folder: Path, table: Table) -> None:
    content = f"id,label\n{table[0]['id']},{table[0]['label']}\n"
    (folder / SECOND_LABELS).write_text(content, encoding="utf-8")
    findings, block = check_corpus(folder, SMALL, write=True)
    assert findings == [] and read_second_labels(folder)[0][0].first == ""
    assert "as they are now" in block and "| all | 1 | 100.0% |" in block


def run_check(*arguments: str, mirror: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FOLDER / "check.py"), *arguments]
    environment = {"FINSENT_MIRROR": mirror, "PATH": ""}
    return subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)


def test_the_script_runs_from_anywhere_and_prints_the_figures() -> None:
    done = run_check()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("| file | negative | neutral | positive | rows |")


def test_the_script_exits_with_places(folder: Path, table: Table) -> None:
    table[2]["label"] = "up"
    write_tables(folder, table)
    done = run_check(str(folder), mirror=str(make_mirror(folder, table[4]["text"].replace('"', '""'))))
    assert done.returncode == 1
    assert f"{folder}/test.csv:4: label 'up'; allowed: negative, neutral, positive" in done.stdout
    assert f"{folder}/test.csv:6: 1.00 alike to a third-party text" in done.stdout
    assert "compared with 1 third-party texts: 1 too alike" in done.stderr


def test_the_card_is_one_that_the_hub_takes() -> None:
    data = DatasetCard.load(FOLDER / CARD).data
    size, rows = data.size_categories[0], len(read_corpus(FOLDER)[0])
    assert data.license == "cc-by-4.0" and data.task_categories == ["text-classification"]
    assert size == "1K<n<10K" and 1_000 < rows < 10_000


# datasets 5.0.1 leaves the CSV files that it has read to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_folder_loads_as_a_dataset_of_three_splits(tmp_path: Path) -> None:
    pushed = shutil.copytree(FOLDER, tmp_path / "headlines", ignore=shutil.ignore_patterns("__pycache__"))
    loaded = load_dataset(str(pushed), cache_dir=str(tmp_path / "cache"))
    rows, _ = read_corpus(FOLDER)
    assert {split: len(loaded[split]) for split in loaded} == {
        split: sum(row.split == split for row in rows) for split in SPLITS
    }
    assert tuple(loaded["test"].column_names) == COLUMNS


def test_the_card_explains_every_value() -> None:
    text = (FOLDER / CARD).read_text(encoding="utf-8")
    missing = [value for value in (*COLUMNS, *LABELS, *EVENTS, *KINDS) if value not in text]
    assert missing == []
    assert str(ROOT) not in text

"""Files in, parts out: every row once, also one that cannot be read and also after a kill."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow
import pyarrow.parquet as parquet
import pytest
from numpy.typing import NDArray
from rich.console import Console
from typer.testing import CliRunner

from finsent import REPOSITORY
from inference.classifier import Classifier
from serving.bulk.__main__ import app
from serving.bulk.local import score_local
from serving.bulk.places import find_inputs, locate_output
from serving.bulk.plan import make_plan, prepare_output
from serving.bulk.progress import show_progress
from serving.bulk.rows import ReadPosition, read_rows
from serving.bulk.shards import read_parts
from serving.model import ServedModel
from tests.serving.servers import ENVIRONMENT

TEXTS = ["profit rose", "loss, of bank", 'said "flat"', "déjà vu 🚀", ""]


def _csv(texts: list[str], comma: str = ",") -> bytes:
    cells = ['"' + text.replace('"', '""') + '"' for text in texts]
    return "".join([f"text{comma}day\n", *(f"{cell}{comma}monday\n" for cell in cells)]).encode()


def _jsonl(texts: list[str]) -> bytes:
    return "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()


def _parquet(texts: list[str]) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table({"day": [1] * len(texts), "text": texts}), buffer, row_group_size=2)
    return buffer.getvalue()


FORMATS: dict[str, Callable[[list[str]], bytes]] = {
    "csv": _csv,
    "tsv": lambda texts: _csv(texts, "\t"),
    "jsonl": _jsonl,
    "ndjson": _jsonl,
    "txt": lambda texts: ("\n".join(texts) + "\n").encode(),
    "parquet": _parquet,
}
CASES = [(kind, ending) for kind in FORMATS for ending in ("", ".gz", ".zst") if kind != "parquet"]
CASES.append(("parquet", ""))  # it compresses inside


def _compress(content: bytes, ending: str) -> bytes:
    if ending == ".zst":
        sink = pyarrow.BufferOutputStream()
        with pyarrow.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(content)
        return bytes(sink.getvalue())
    return gzip.compress(content) if ending == ".gz" else content


def _run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    return done.exit_code, done.output


def read_output(output: Path) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for part in sorted(output.glob("part-*.parquet")):
        rows += parquet.read_table(part).to_pylist()
    return rows


@pytest.mark.parametrize(("kind", "ending"), CASES)
def test_every_format_gives_the_classifiers_answers(
    tiny_release: Path, model: ServedModel, tmp_path: Path, kind: str, ending: str
) -> None:
    content = _compress(FORMATS[kind](TEXTS), ending)
    name = f"news.{kind}{ending}"
    (tmp_path / name).write_bytes(content)
    code, said = _run(tiny_release, tmp_path / name, tmp_path / "out", "--part-rows", 2)
    assert code == 0, said
    rows = read_output(tmp_path / "out")
    assert [(row["id"], row["text"]) for row in rows] == [
        (f"{name}:{number}", text) for number, text in enumerate(TEXTS, 1)
    ]
    expected = model.classifier.predict(TEXTS)
    for row, scores in zip(rows, expected.tolist(), strict=True):
        assert row["probabilities"] == dict(zip(model.labels, scores, strict=True))
        assert row["label"] == model.labels[scores.index(max(scores))]
        assert row["unsure"] == model.is_unsure(max(scores)) and row["problem"] is None


def test_patterns_and_folders_name_each_file_once_and_ids_are_unique(
    tiny_release: Path, tmp_path: Path
) -> None:
    for folder in ("in/a", "in/b"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "news.txt").write_text("profit\nloss\n", encoding="utf-8")
    (tmp_path / "in" / "notes.pdf").write_bytes(b"")
    code, said = _run(tiny_release, tmp_path / "in", tmp_path / "in" / "*" / "*.txt", tmp_path / "out")
    assert code == 0, said
    assert [row["id"] for row in read_output(tmp_path / "out")] == [
        "a/news.txt:1", "a/news.txt:2", "b/news.txt:1", "b/news.txt:2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "problems"),
    [
        ("a.csv", b"id,text\n1,good\n2\n\xff,b\xffd\n4,end\n", [None, "1 cells", "not UTF-8", None]),
        ("a.jsonl", b'{"id": 1, "text": "a"}\n{"text": \n7\n{"text": null}\n{"text": "z"}\n',
         [None, "not JSON", "no key 'text'", "NoneType", None]),
        ("a.txt", b"a\n\xff\xfe\nz\n", [None, "not UTF-8", None]),
    ],
)  # fmt: skip
def test_broken_rows_are_kept_and_marked(
    tiny_release: Path, tmp_path: Path, name: str, content: bytes, problems: list[str | None]
) -> None:
    (tmp_path / name).write_bytes(content)
    ids = [] if name.endswith("txt") else ["--id", "id"]
    code, said = _run(tiny_release, tmp_path / name, tmp_path / "out", *ids)
    assert code == 0, said
    rows = read_output(tmp_path / "out")
    assert len(rows) == len(problems)
    for row, problem in zip(rows, problems, strict=True):
        empty = [row[key] is None for key in ("text", "label", "probabilities", "unsure")]
        assert empty == [problem is not None] * 4
        assert (problem or "") in str(row["problem"] or "") and (row["problem"] is None) == (problem is None)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.txt"])
def test_a_line_without_end_is_a_row_and_is_not_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("serving.bulk.rows.LONGEST", 1000)
    long = ["x" * 1000, "x" * 2500, "y" * 4000]
    lines = ["a", *long, "z"]
    if name == "a.jsonl":
        lines = [json.dumps({"text": line}) for line in lines]
    head = ["text"] if name == "a.csv" else []
    (tmp_path / name).write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")
    rows = list(read_rows(find_inputs([str(tmp_path / name)])[0], "text", None, ReadPosition()))
    assert [row.text for row in rows] == ["a", None, None, None, "z"]
    assert all(row.problem for row in rows[1:4])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"title,day\nx,y\n", "has no column 'text'; got title, day; use --text COLUMN"),
        ("b.csv", b"text,text\nx,y\n", "has several columns 'text'; got text, text; use --text COLUMN"),
        ("a.pdf", b"", "got '.pdf'; allowed are .parquet"),
        ("a.parquet", b"PAR", "cannot be read"),
        ("a.txt.gz", gzip.compress(b"profit\n" * 9999, mtime=0)[:-20], "cannot be read"),
        ("a.txt.zst", b"no zstd", "cannot be read"),
    ],
)
def test_what_cannot_be_opened_is_one_line(
    tiny_release: Path, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    done = CliRunner().invoke(app, [str(tiny_release), str(tmp_path / name), str(tmp_path / "out")])
    assert done.exit_code == 1 and said in done.stderr, done.output
    assert done.stderr.count("\n") == 1


def test_a_missing_id_is_told_with_its_own_option(tiny_release: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\nprofit\n", encoding="utf-8")
    code, said = _run(tiny_release, tmp_path / "a.csv", tmp_path / "out", "--id", "number")
    assert code == 1 and "has no column 'number'; got text; use --id COLUMN" in said


def test_a_bracket_in_a_name_is_no_pattern(tiny_release: Path, tmp_path: Path) -> None:
    (tmp_path / "news[1].txt").write_text("profit\n", encoding="utf-8")
    code, said = _run(tiny_release, tmp_path / "news[1].txt", tmp_path / "out")
    assert code == 0, said
    assert [row["id"] for row in read_output(tmp_path / "out")] == ["news[1].txt:1"]


def test_short_parts_keep_all_threads_busy(model: ServedModel, tmp_path: Path) -> None:
    together = threading.Barrier(4)

    class Meeting:
        labels = model.labels

        def predict(self, texts: list[str]) -> NDArray[np.float32]:
            together.wait(20)  # four texts at a time, or none
            return model.classifier.predict(texts)

    (tmp_path / "a.txt").write_text("profit\n" * 8, encoding="utf-8")
    met = replace(model, classifier=cast(Classifier, Meeting()))
    plan = make_plan(met, find_inputs([str(tmp_path / "a.txt")]), "text", None, part_rows=1)
    output = locate_output(str(tmp_path / "out"))
    shards = [find_inputs([str(tmp_path / "a.txt")])]
    told: list[int] = []
    done = prepare_output(output, plan, resume=False)
    assert score_local(4, met, plan, shards, output, done, lambda rows, _: told.append(rows)) == 8
    assert told == [*range(1, 9)]


def test_a_run_goes_on_only_with_the_same_model_and_input(tiny_release: Path, tmp_path: Path) -> None:
    news, out = tmp_path / "news.txt", tmp_path / "out"
    news.write_text("profit\nloss\n", encoding="utf-8")
    assert _run(tiny_release, news, out)[0] == 0
    assert "add --resume" in _run(tiny_release, news, out)[1]
    assert _run(tiny_release, news, out, "--resume")[0] == 0
    assert (
        "different value of part_rows (50000, now 1)"
        in _run(tiny_release, news, out, "--resume", "--part-rows", 1)[1]
    )
    other = Path(shutil.copytree(tiny_release, tmp_path / "other"))
    (other / "onnx" / "model_quantized.onnx").unlink()  # then the full file is the model
    assert "different value of file_sha256" in _run(other, news, out, "--resume")[1]
    news.write_text("profit\nloss\nflat\n", encoding="utf-8")
    assert "different value of inputs" in _run(tiny_release, news, out, "--resume")[1]
    assert len(read_output(out)) == 2


@pytest.mark.parametrize("number", [20_000, pytest.param(200_000, marks=pytest.mark.slow)])
def test_after_two_kill_9_every_row_is_there_once(tiny_release: Path, tmp_path: Path, number: int) -> None:
    news, out = tmp_path / "news.txt.gz", tmp_path / "out"
    whole = number // 500
    news.write_bytes(gzip.compress("".join(f"profit of bank {row} rose\n" for row in range(number)).encode()))
    arguments = [str(tiny_release), str(news), str(out), "--part-rows", "500", "--resume"]
    command = [sys.executable, "-m", "serving.bulk", *arguments]
    for share in (0.3, 0.7):  # each time in the middle of a part
        process = subprocess.Popen(command, cwd=REPOSITORY, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
        while process.poll() is None and len(list(out.glob("part-*.parquet"))) < share * whole:
            time.sleep(0.005)
        assert process.poll() is None, "it ended before it could be killed"
        process.kill()
        assert process.wait() == -signal.SIGKILL
    done = {part: part.stat().st_mtime_ns for part in out.glob("part-*.parquet")}
    assert 0.7 * whole <= len(done) < whole
    code, said = _run(*arguments)
    assert code == 0, said
    assert [row["id"] for row in read_output(out)] == [f"news.txt.gz:{row}" for row in range(1, number + 1)]
    assert {part: part.stat().st_mtime_ns for part in done} == done  # what was there was not made again


def test_a_part_of_long_texts_has_fewer_rows(model: ServedModel, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"{'x' * 70}\n" * 5, encoding="utf-8")
    inputs = find_inputs([str(tmp_path / "a.txt")])
    plan = make_plan(model, inputs, "text", None).model_copy(update={"part_characters": 140})
    parts = list(read_parts(3, inputs, plan, done={"part-00003-00001.parquet"}))
    assert [(part.name, len(part.rows), part.done) for part in parts] == [
        ("part-00003-00000.parquet", 2, False),
        ("part-00003-00001.parquet", 0, True),
        ("part-00003-00002.parquet", 1, False),
    ]
    assert sum(part.read for part in parts) == (tmp_path / "a.txt").stat().st_size


def test_what_a_killed_run_left_half_written_is_removed(tiny_release: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("profit\n", encoding="utf-8")
    out = tmp_path / "out"
    out.mkdir()
    for name in (".part-00000-00000.parquet.1.partial", "._plan.json.partial"):
        (out / name).write_bytes(b"PAR")  # killed before the plan was whole: the folder counts as empty
    assert _run(tiny_release, tmp_path / "a.txt", out)[0] == 0
    assert {one.name for one in out.iterdir()} == {"_plan.json", "part-00000-00000.parquet"}


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere() -> None:
    seen = {}
    for terminal in (True, False):
        console = Console(file=io.StringIO(), force_terminal=terminal, width=100)
        with show_progress(console, total_bytes=100, every=0.0) as tell:
            for step in (20, 40, 60):
                tell(step * 10, step)
                time.sleep(0.01)
        assert isinstance(console.file, io.StringIO)
        seen[terminal] = console.file.getvalue()
    assert "600 rows" in seen[True] and "━" in seen[True] and "rows/s" in seen[True]
    lines = seen[False].splitlines()
    assert [line.split(" rows,")[0] for line in lines] == ["200", "400", "600"]
    assert "60% read" in lines[2] and "s left" in lines[2] and "\x1b" not in seen[False]

from __future__ import annotations

from pathlib import Path

from jsonl_file import read_jsonl

from tests.space.conftest import write


def test_jsonl_keeps_every_line(tmp_path: Path) -> None:
    lines = [
        '{"text": "up", "n": 1}',
        "not json",
        '"only text"',
        "[1]",
        '{"text": "x", "more": {"a": [1]}}',
        "9",
    ]
    table = read_jsonl(write(tmp_path / "a.jsonl", "\n".join(lines)))
    assert table.columns == ["text", "n", "unread", "more"]
    assert [row[0] for row in table.rows] == ["up", None, "only text", None, "x", None]
    assert table.rows[1][2] == "not json"
    assert table.rows[4][3] == '{"a": [1]}'
    assert table.problems == {
        1: "no valid JSON",
        3: "neither an object nor a string",
        5: "neither an object nor a string",
    }

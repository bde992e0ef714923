from __future__ import annotations

from pathlib import Path

import pytest

from finsent.errors import DataError
from tests.finsent.data.sources.samples import make_source, read

MAPS = {"0": "negative", "1": "positive", "true": "positive", "false": "negative"}


def rows(folder: Path, content: str, name: str = "rows.jsonl") -> list[tuple[str, str]]:
    (folder / name).write_text(content, encoding="utf-8")
    return [(row.text, row.label) for row in read(make_source(folder, files={"train": [name]}, labels=MAPS))]


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl", "rows.ndjson"])
@pytest.mark.parametrize(
    "content",
    [
        '{"text": "Up", "label": 1}\n\n{"label": 0.0, "text": "Down", "more": [1]}\n',
        '[{"text": "Up", "label": true},\n {"text": "Down", "label": false}]',
        '\n[{"text": "Up", "label": "1"}, {"text": "Down", "label": 0}]\n',
    ],
)
def test_objects_in_lines_and_in_an_array(name: str, content: str, tmp_path: Path) -> None:
    assert rows(tmp_path, content, name) == [("Up", "positive"), ("Down", "negative")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "Up", "label": 1}\n{"text": 5, "label": 1}', "line 2: 'text' is int '5', expected text"),
        ('{"text": ["Up"], "label": 1}', r"line 1: 'text' is list .*, expected text"),
        ('{"text": {"en": "Up"}, "label": 1}', "line 1: 'text' is dict"),
        ('{"text": null, "label": 1}', "line 1: 'text' has no value"),
        ('{"text": "Up", "label": null}', "line 1: 'label' has no value, expected text, a whole number"),
        ('{"text": "Up", "label": NaN}', "line 1: 'label' has no value"),
        ('{"text": "Up", "label": 0.5}', "line 1: 'label' is float '0.5', expected text, a whole number"),
        ('{"text": "Up", "label": [1]}', r"line 1: 'label' is list '\[1\]'"),
        ('{"text": "Up", "label": Infinity}', "line 1: 'label' is float 'inf'"),
        ('{"text": "Up"}', r"line 1: has no key 'label'; it has \['text'\]"),
        ('{"text": "Up", "label": 1, "text": "Down"}', "line 1: has the key 'text' twice"),
        ('\n{"text": "Up", "label"', "line 2: is not JSON"),
        ('"Up"', r"line 1: got str, expected an object with \['text', 'label'\]"),
        ('[{"text": "Up", "label": 1}, 3]', "row 2: got int, expected an object"),
        ('[{"text": "Up", "label": 1}', "is not JSON"),
        ("{\n}", "line 1: is not JSON .* expected one object per line, or one array"),
        (
            '{"text": "Up \\ud83d", "label": 1}',
            r"line 1: the text contains '\\ud83d', which is half a character",
        ),
        ('{"text": "Up \\u0000", "label": 1}', "line 1: the text has a NUL"),
        ('{"text": " ", "label": 1}', "line 1: the text is empty"),
        ("[" * 100_000, "is not JSON"),
        ("\n", "is empty; expected one object per line"),
    ],
)
def test_what_is_no_labelled_text_is_refused_with_its_line(
    content: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=f"^rows.jsonl.*{message}"):
        rows(tmp_path, content)

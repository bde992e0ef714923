from __future__ import annotations

import pytest

from tests.model_card.lint.cards import card_with, found


@pytest.mark.parametrize(
    ("words", "problems"),
    [
        ("Buy $AAPL now", 1),
        ("$$x$$", 1),
        ("Buy `$AAPL` now, ``a ` $B``", 0),
        ("```bash\necho $HOME\n```", 0),
        ("[link](https://a.example/$x)", 0),
        ("<!-- $AAPL -->", 0),
    ],
)
def test_dollars_outside_code(words: str, problems: int) -> None:
    text = card_with(body=f"# Title\n\nAbove.\n\n{words}\n")
    assert [problem.line for problem in found(text, "dollar")] == [10] * problems


@pytest.mark.parametrize(
    "words",
    [
        'pipeline(model="[YOUR_HF_USERNAME]/model")',
        "[More Information Needed]",
        "TODO: describe",
        "accuracy {{ metrics.accuracy }}",
        "| accuracy | None |",
        "| accuracy | nan |",
        "<YOUR-NAME>/model",
    ],
)
def test_placeholders(words: str) -> None:
    assert [p.line for p in found(card_with(body=f"# Title\n\n{words}\n"), "placeholder")] == [8]


def test_placeholders_in_code_and_metadata() -> None:
    block = "# Title\n\n```python\nmodel = '[YOUR_HF_USERNAME]/model'\n```\n"
    assert [p.line for p in found(card_with(body=block), "placeholder")] == [9]
    assert [p.line for p in found(card_with("base_model: '[YOUR_MODEL]'\n"), "placeholder")] == [5]
    assert found(card_with(body="# Title\n\nThe text `TODO: sell` is one.\n"), "placeholder") == []


@pytest.mark.parametrize(
    ("block", "line"),
    [
        ("```python\nx = 1\nprint('a)\n```", 10),
        ('```json\n{"a": 1,}\n```', 9),
        ("```yaml\na: [\n```", 9),
        ("```python\nprint(1)\n", 8),
    ],
)
def test_code_that_cannot_be_parsed(block: str, line: int) -> None:
    problems = found(card_with(body=f"# Title\n\n{block}\n"), "code")
    assert len(problems) == 1
    assert problems[0].line in (line, line + 1)


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        ("| a | b |\n| --- | --- |\n| 1 | 2 |", []),
        ("| a | b |\n| --- | --- |\n| 1 |", [10]),
        ("| a | b |\n| --- | --- |\n| 1 | `x|y` |", [10]),
        ("| a | b |\n| --- | --- |\n| 1 | `x\\|y` |", []),
        ("| a | b | c |\n| --- | --- |\n| 1 | 2 |", [8]),
        ("a | b\n--- | ---\n1 | 2", []),
        ("a | b\n--- | ---\n1 | 2 \\|", []),
        ("a | b\n--- | ---\n1 \\|", [10]),
    ],
)
def test_columns_of_tables(table: str, lines: list[int]) -> None:
    text = card_with(body=f"# Title\n\n{table}\n")
    assert [problem.line for problem in found(text, "table")] == lines


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("# A\n\n## B\n\n### C\n\n## D\n", []),
        ("## B\n", [6]),
        ("# A\n\n### C\n", [8]),
        ("# A\n\n# B\n", [8]),
        ("Words.\n", [6]),
        ("# A\n\n```bash\n### no heading\n```\n", []),
    ],
)
def test_order_of_headings(body: str, lines: list[int]) -> None:
    assert [problem.line for problem in found(card_with(body=body), "heading")] == lines


BEGIN, END = "<!-- finsent:begin {} -->\n", "<!-- finsent:end {} -->\n"


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        (BEGIN.format("a"), "never closed"),
        (END.format("a"), "but was never opened"),
        (BEGIN.format("a") + BEGIN.format("b") + END.format("b"), "not closed before b"),
        ((BEGIN.format("a") + END.format("a")) * 2, "second time"),
    ],
)
def test_marks_of_regions(marks: str, message: str) -> None:
    (problem,) = found(card_with(body="# A\n\n" + marks), "region")
    assert message in problem.message

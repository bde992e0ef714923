"""Text that somebody else wrote is scanned once: time grows with its length, not with a power of it."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from local_hub import HubSettings, running_hub
from local_hub.attributes import IgnoreRule, LargeFileRule
from local_hub.card import check_card, read_metadata, split_card
from local_hub.card_yaml import parse_block
from local_hub.errors import HubError
from local_hub.wildmatch import MAX_STEPS, Budget, PathPattern
from model_card.card import document

# The Hub's own expression: what it finds is right, only how long it takes is not.
FRONT = re.compile(r"\A(\s*---[\r\n]+)([\S\s]*?)([\r\n]+---[ \t]*(\r\n|\n|$))")
CODE_SPAN = re.compile(r"(?<![`\\])(`+)(?!`)((?:(?!\n[ \t]*\n)[\s\S])+?)(?<!`)\1(?!`)")
fuzzed = settings(max_examples=200, deadline=None, derandomize=True, database=None)


def growth(work: Callable[[int], object], size: int) -> float:
    """How many times longer four times the size takes: 4 where time is linear, 16 where it is quadratic."""

    def seconds(length: int) -> float:
        started = time.process_time()
        work(length)
        return time.process_time() - started

    times = [(seconds(size), seconds(4 * size)) for _ in range(5)]  # in turn: a busy machine slows both down
    return min(long for _, long in times) / max(min(short for short, _ in times), 1e-4)


CARDS: dict[str, Callable[[int], str]] = {
    "empty lines": lambda n: "---\n" + "\n" * n,
    "empty lines after a key": lambda n: "---\na: b" + "\n" * n + "--",
    "carriage returns": lambda n: "---\r" + "\r\n" * n,
    "marks that do not close": lambda n: "---\n" + "\n---x" * n,
    "marks with blanks": lambda n: "---\n" + "\n--- \t x" * n,
    "blanks before the mark": lambda n: " \n" * n + "--",
    "blanks behind a mark": lambda n: "---\na\n---" + " " * n + "x",
}


@pytest.mark.parametrize("kind", CARDS)
@pytest.mark.parametrize("split", [split_card, document.split_card], ids=["local_hub", "model_card"])
def test_a_card_is_split_in_linear_time(split: Callable[[str], object], kind: str) -> None:
    assert growth(lambda n: split(CARDS[kind](n)), 50_000) < 9


@pytest.mark.parametrize("piece", ["<!--", "`", "`` `", "](", "<a", "<https://", "a `", "``` "])
def test_the_prose_of_a_card_is_found_in_linear_time(piece: str) -> None:
    def blank(n: int) -> None:
        text = piece * n
        document._without(document._code_spans, text)
        document._without(document._comments, text)
        for pattern in (document._LINK_TARGET, document._ADDRESS, document._TAG):
            pattern.sub(document._blank, text)

    assert growth(blank, 10_000) < 9


pieces = st.lists(st.sampled_from(["---", "\n", "\r\n", "\r", "a", " ", "\t", "-"]), max_size=16).map("".join)


@fuzzed
@given(pieces, st.sampled_from(["", "---\n", "---\n\n"]))
def test_both_scanners_find_what_the_expression_finds(text: str, start: str) -> None:
    text = start + text
    match = FRONT.match(text)
    assert split_card(text) == ((match[2], text[match.end() :]) if match else (None, text))
    found = document.split_card(text)
    assert found.front == (match[2] if match else None)
    if match:
        assert found.front_line == match[1].count("\n") + 1
        assert found.body.lstrip("\n") == text[match.end() :].lstrip("\n")


@fuzzed
@given(st.lists(st.sampled_from(["`", "``", "\n", "\n \n", "a", "\\", "```"]), max_size=14).map("".join))
def test_code_spans_are_those_of_the_expression(text: str) -> None:
    expected = CODE_SPAN.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    assert document._without(document._code_spans, text) == expected


def test_validating_a_hostile_readme_takes_no_time(tmp_path: Path) -> None:
    hostile = [
        "---\n" + "\n" * 500_000,
        "---\n" + "\n---x" * 200_000,
        "---\na: 1" + ":59" * 60_000 + "\n---\n",
    ]
    with running_hub(HubSettings(tmp_path / "hub")) as hub:
        for content in hostile:
            started = time.process_time()  # the Hub runs in this process
            answer = requests.post(f"{hub.endpoint}/api/validate-yaml", json={"content": content}, timeout=60)
            assert answer.status_code in (200, 400)
            assert time.process_time() - started < 5


BLOCKS: dict[str, Callable[[int], str]] = {
    "a number of base 60": lambda n: "a: !!float 1" + ":59" * n,
    "a long number": lambda n: "a: " + "7" * n,
    "a hexadecimal number": lambda n: "a: 0x" + "f" * n,
    "nested lists": lambda n: "a: " + "[" * n,
    "nested maps": lambda n: "{a: " * n,
    "nested sequences": lambda n: "- " * n,
    "a long block": lambda n: "a: " + "x" * 7 * n,
    "a number over 64 bits": lambda n: f"a: {2**64}",
    "a negative one": lambda n: f"a: {-(2**63) - 1}",
    "an alias": lambda n: "a: &x b\nc: *x",
}


@pytest.mark.parametrize("kind", BLOCKS)
def test_metadata_with_numbers_or_depth_beyond_all_use_is_refused_at_once(kind: str) -> None:
    started = time.process_time()
    with pytest.raises(
        ValueError, match=r"characters, allowed are|nested deeper|over 64 bits|aliases are not"
    ):
        parse_block(BLOCKS[kind](30_000))
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "block",
    [
        "a: !!timestamp no date",
        "a: !!bool neither",
        "a: !!int ''",
        "a: !!float x",
        "a: 1" + ":59" * 8 + ".5",
        "a: !!binary é",
        "? 0x" + "f" * 30 + "\n: a",
        "a: -9223372036854775809",
        "a: 18446744073709551616",
        "a: &x b\nc: *x",
    ],
)
def test_odd_values_are_findings_and_no_crash(block: str) -> None:
    text = f"---\n{block}\n---\n"
    assert read_metadata(text) is None or check_card(text, "models").errors == []
    assert isinstance(check_card(text, "models").errors, list)


STARS = [
    "*a" * 6 + "*b",
    "*a" * 60 + "b",
    "**/a/" * 40 + "b",
    "a*" * 100 + "b",
    "[a-z]*" * 30 + "B",
    "?*" * 60 + "b",
]


@pytest.mark.parametrize("pattern", STARS)
def test_a_path_is_matched_without_backtracking(pattern: str) -> None:
    paths = ["a" * 250, "/".join(["a" * 250] * 4), "a/" * 500 + "a"]
    rules = (LargeFileRule(f"{pattern} filter=lfs\n".encode()), IgnoreRule(f"{pattern}\n".encode()))
    started = time.process_time()
    for path in paths:
        assert not rules[0].matches(path)
        rules[1].matches(path)
    assert time.process_time() - started < 1


def test_the_steps_of_a_pattern_are_counted() -> None:
    pattern = PathPattern(b"**/a" * 30 + b"/b")
    budgets = [Budget(), Budget()]
    for budget, length in zip(budgets, (100, 400), strict=True):
        assert not pattern.matches(b"/".join([b"a"] * length), budget)
    short, long = (Budget().left - budget.left for budget in budgets)
    assert short < 100 * 62
    assert long / short < 6


@pytest.mark.parametrize(("make", "ending"), [(LargeFileRule, b" filter=lfs\n"), (IgnoreRule, b"\n")])
def test_of_a_rule_file_a_bounded_part_is_read(
    make: type[LargeFileRule] | type[IgnoreRule], ending: bytes
) -> None:
    many = make(b"".join(b"a%d%b" % (number, ending) for number in range(2001)))
    assert many.matches("a1999") and not many.matches("a2000")
    for length, is_read in ((200, True), (257, False)):
        rule = make(b"a" * length + ending + b"b" + ending)
        assert rule.matches("a" * length) is is_read
        assert rule.matches("b")
    assert not make(b"a" * 256 * 2000 + b"\nb" + ending).matches("b")


def test_too_many_patterns_for_too_many_paths_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # from four to sixteen times what a client asks at once, with as many rules as are read
    assert 4 < MAX_STEPS / (256 * 2000) < 16
    monkeypatch.setattr("local_hub.attributes.Budget", lambda: Budget(100_000))
    rules = LargeFileRule(b"**/a/**/b filter=lfs\n" * 2000), IgnoreRule(b"**/a/**/b\n" * 2000)
    for rule in rules:
        with pytest.raises(HubError, match="too many patterns") as raised:
            for number in range(10):
                rule.matches(f"{'a/' * 200}{number}")
        assert raised.value.status == 400


PATTERNS = (
    "*.bin a /a a/b a/ a/** **/b a/**/c a*c * ** ? [ab] [!a] [ [z-a] \\* *.tar.* saved_model/**/* *tfevents* "
    "[[:alpha:]]x a**c **/ /** a//b a/*/c ***"
)
PATHS = (
    "a b x/a a/b a/x/c a/c a/x/y/c abc aXc/d m.bin x/m.bin * t.tar.gz ax saved_model/x/y saved_model/y "
    "d/tfevents.1 a/b/c c/a/b ab/c"
)


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_patterns_mean_what_they_mean_to_git(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    paths = PATHS.split()
    listing = "\0".join(paths).encode() + b"\0"

    def git(*arguments: str) -> list[str]:
        command = ["git", *arguments, "-z", "--stdin"]
        done = subprocess.run(command, cwd=tmp_path, input=listing, capture_output=True, check=False)
        return done.stdout.decode().split("\0")

    for pattern in PATTERNS.split():
        for path, text in ((".gitattributes", f"{pattern} filter=lfs\n"), (".gitignore", f"{pattern}\n")):
            (tmp_path / path).write_text(text, encoding="utf-8")
        answers = git("check-attr", "filter")
        large = {answers[n] for n in range(0, len(answers) - 1, 3) if answers[n + 2] == "lfs"}
        rules = LargeFileRule(f"{pattern} filter=lfs\n".encode()), IgnoreRule(f"{pattern}\n".encode())
        assert {path for path in paths if rules[0].matches(path)} == large, pattern
        ignored = set(git("check-ignore", "--no-index")) - {""}
        assert {path for path in paths if rules[1].matches(path)} == ignored, pattern

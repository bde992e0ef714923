from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from finsent.yaml_dialects import (
    HubYaml,
    Yaml11,
    Yaml12,
    describe_readings,
    dump_yaml,
    find_ambiguities,
    is_text,
    read_hub_yaml,
)

LOADERS = (yaml.SafeLoader, Yaml11, Yaml12, HubYaml)
ODD = (
    *("7e5", "08", "0o17", "1e3", "123e456", "yes", "No", "ON", "off", "y", "N", "null", "Null", "~", "true"),
    *("=", "<<", "12:30:45", "1:30.5", "2026-01-02", "2026-01-02T03:04:05Z", ".inf", "-.INF", ".NaN", "0x1F"),
    *("0b101", "017", "1_000", "1.", ".5", "+.5", ".5e3", "1__", "0b_1", "-0o7"),
)


@pytest.mark.parametrize("word", ODD)
def test_what_a_reader_may_take_otherwise_is_quoted_as_key_and_as_value(word: str) -> None:
    tree = {word: word, "list": [word, {"deep": word}]}
    text = dump_yaml(tree)
    assert not is_text(word) and text.startswith(f"'{word}': '{word}'\n")
    for loader in LOADERS:
        assert yaml.load(text, loader) == tree


@pytest.mark.parametrize(
    "word", ["finance", "0.1.0", "v1", "e5", "1e", "0xG", "12:", "$AAPL", "no-op", "1,000"]
)
def test_plain_words_stay_plain(word: str) -> None:
    assert is_text(word)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
        | st.text("0123456789eExXoObB_.:+-~=<yYnNfFaAsSuUlLtTrR #\t\n\ufeffä\u2028📈"),
        lambda one: st.lists(one, max_size=3)
        | st.dictionaries(st.text("019e.oxyn~=< :", max_size=5), one, max_size=3),
        max_leaves=8,
    )
)  # fmt: skip
def test_every_dialect_reads_back_what_was_dumped(tree: object) -> None:
    text = dump_yaml({"tree": tree})
    for loader in LOADERS:
        assert yaml.load(text, loader) == {"tree": tree}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0o17", 15), ("017", 17), ("08", 8), ("7e5", 700000.0), ("yes", "yes"), ("12:30", "12:30"),
        ("0b11", 3), ("-0x1f", -31), ("2026-01-02", "2026-01-02"), ("~", None), ("TRUE", True),
        ("1_000", 1000), ("1__", "1__"),
        (".5e1", 5.0),
    ],
)  # fmt: skip
def test_the_hub_reads_as_js_yaml_does(text: str, value: object) -> None:
    read = read_hub_yaml(f"x: {text}")["x"]
    assert (read, type(read)) == (value, type(value))


def test_readings_are_told_by_dialect() -> None:
    assert describe_readings("yes") == "True (YAML 1.1), text (YAML 1.2, js-yaml)"
    assert describe_readings("1e3") == "text (YAML 1.1), 1000.0 (YAML 1.2, js-yaml)"


def test_only_differences_are_ambiguous() -> None:
    node = yaml.compose("a: 10\nb: [0.5, true, null, '08', 08]\nyes: &x [*x]\n", yaml.SafeLoader)
    assert [(one.line, one.text) for one in find_ambiguities(node)] == [(1, "08"), (2, "yes")]

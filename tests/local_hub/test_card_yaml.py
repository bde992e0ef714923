"""The local Hub takes of a card what the real one takes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finsent.yaml_dialects import dump_yaml, read_hub_yaml
from local_hub.card import check_card
from local_hub.card_yaml import parse_block
from tests.finsent.test_yaml_dialects import ODD

fuzzed = settings(max_examples=300, deadline=None, derandomize=True, database=None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("No", "No"), ("on", "on"), ("12:30:45", "12:30:45"), ("=", "="), ("1__", "1__"),
        ("7e5", 700000.0), ("1e3", 1000.0), ("123e456", None), ("08", 8), ("017", 17), ("0o17", 15),
        ("0b11", 3), ("-0x1f", -31), ("1_000", 1000), ("TRUE", True), ("~", None), (".nan", None),
        ("2026-01-02", "2026-01-02"), ("!!int 0o17", 15), ("'yes'", "yes"),
    ],
)  # fmt: skip
def test_a_value_is_what_js_yaml_takes_it_for(text: str, value: object) -> None:
    read = parse_block(f"x: {text}")["x"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(("tag", "fine"), [("1e3", False), ("08", False), ("yes", True), ("'1e3'", True)])
def test_a_tag_that_the_hub_takes_for_a_number_is_refused(tag: str, fine: bool) -> None:
    errors = check_card(f"---\ntags: [{tag}]\n---\n", "models").errors
    assert (errors == []) is fine


@fuzzed
@given(st.sampled_from(ODD) | st.text("0123456789eExXoOb_.+-~=<yYnNuUlLtTrR", min_size=1, max_size=8))
def test_it_reads_a_plain_scalar_as_the_linter_does(word: str) -> None:
    """One rule in two rooms that share no code: what lint lets pass is what the local Hub takes."""
    read: list[object] = []
    for reader in (read_hub_yaml, parse_block):
        try:
            read.append(reader(f"x: {word}")["x"])
        except Exception:
            read.append(ValueError)
    told = [None if isinstance(one, float) and one - one != 0 else one for one in read]  # nan and infinity
    assert told[0] == told[1] and type(told[0]) is type(told[1])


@fuzzed
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.sampled_from(ODD) | st.text("0123456789eE_.:+-~yYnN #\t\n\ufeffä", max_size=8),
        lambda one: st.lists(one, max_size=3) | st.dictionaries(st.sampled_from(ODD), one, max_size=3),
        max_leaves=6,
    )
)  # fmt: skip
def test_what_we_write_is_read_back(tree: object) -> None:
    read = parse_block(dump_yaml({"tree": tree}))
    assert read == {"tree": tree}

from __future__ import annotations

import pytest
import yaml

from finsent.recipe.new.commented import dump_commented

TREE = {"name": "x", "data": {"sources": [{"kind": "table", "labels": {"no": "1", "a: b": None}}]}}


def test_comments_change_nothing_that_is_read() -> None:
    comments = {"name": "first", "data.sources.0.kind": "second", "data.sources.0.labels.no": "third " * 40}
    text = dump_commented(TREE, comments)
    assert yaml.safe_load(text) == TREE
    lines = text.splitlines()
    assert lines[:4] == ["# first", "name: x", "", "data:"]
    assert lines[lines.index("  - kind: table") - 1].strip() == "# second"
    assert text.count("third") == 40 and max(map(len, lines)) <= 100


def test_a_comment_on_no_key_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="no such key"):
        dump_commented(TREE, {"data.source": "gone"})

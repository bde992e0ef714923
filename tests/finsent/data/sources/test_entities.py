from __future__ import annotations

from pathlib import Path

from finsent.data.sources.fetch import Places
from finsent.data.sources.read import read_source
from tests.finsent.data.sources.samples import make_source


def test_entities_that_disagree_or_do_not_parse_are_counted(tmp_path: Path) -> None:
    lines = [
        "Title,Decisions",
        "\"A and B gain\",\"{'A': '1', 'B': '1'}\"",
        "\"A gains, B falls\",\"{'A': '1', 'B': '0'}\"",
        "\"C's loss\",\"{'C's': '0'}\"",
        '"Nobody",{}',
    ]
    (tmp_path / "rows.csv").write_text("\n".join(lines), encoding="utf-8")
    found = read_source(make_source(tmp_path, "entities"), Places())
    assert [(row.text, row.label) for row in found.rows] == [("A and B gain", "positive")]
    assert found.left_out == {"entities disagree": 1, "entity dict does not parse": 2}

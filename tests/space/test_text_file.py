from __future__ import annotations

from pathlib import Path

import pytest
from csv_file import read_csv

from tests.space.conftest import write


@pytest.mark.parametrize(
    ("encoding", "noted"),
    [("utf-8", False), ("utf-8-sig", False), ("utf-16", False), ("utf-16-le", False), ("cp1252", True)],
)
def test_encodings(tmp_path: Path, encoding: str, noted: bool) -> None:
    table = read_csv(write(tmp_path / "a.csv", "headline\nÜbernahme für Café geplant\n".encode(encoding)))
    assert table.rows == [["Übernahme für Café geplant"]]
    assert bool(table.notes) is noted

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from parquet_file import read_parquet
from table import guess_column


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"when": [1.5, None], "body": ["up", "down and out"], "tags": [["a"], []]}), path)
    table = read_parquet(path)
    assert table.rows == [[1.5, "up", '["a"]'], [None, "down and out", "[]"]]
    assert guess_column(table) == "body"

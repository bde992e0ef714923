from __future__ import annotations

from typing import Any

import pytest
from spreadsheet import neutralise


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+1 555", "'+1 555"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("-3.5", "-3.5"),
        ("+2e3", "+2e3"),
        ("profit = loss", "profit = loss"),
        (-3.5, -3.5),
        (None, None),
    ],
)
def test_what_a_spreadsheet_would_run(cell: Any, expected: Any) -> None:
    assert neutralise(cell) == expected

from __future__ import annotations

import pytest

from finsent.data.sources import progress


def test_a_log_has_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "ROWS_A_LINE", 1000)
    assert list(progress.count_aloud("reviews", range(2500))) == list(range(2500))
    assert capsys.readouterr().err.splitlines() == [
        "  reviews: 1,000 rows read",
        "  reviews: 2,000 rows read",
    ]
    assert list(progress.count_aloud("few", range(10))) == list(range(10))
    assert capsys.readouterr().err == ""

from __future__ import annotations

from pathlib import Path

import pytest

from finsent.errors import DataError
from finsent.mirror import mirror_from_environment


def test_a_wrong_mirror_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINSENT_MIRROR", str(tmp_path / "none"))
    with pytest.raises(DataError, match=r"FINSENT_MIRROR: .* is not a folder"):
        mirror_from_environment()
    monkeypatch.delenv("FINSENT_MIRROR")
    assert mirror_from_environment() is None

from __future__ import annotations

import pytest

from finsent.errors import FinsentError
from finsent.optional_packages import require_package


def test_a_package_that_is_missing_is_told_with_the_command_that_installs_it() -> None:
    require_package("numpy", "this test")
    with pytest.raises(FinsentError) as told:
        require_package("no_such_thing", "this test")
    assert str(told.value) == (
        "this test needs the package no_such_thing, which is not installed; "
        "run: pip install -r requirements-methods.txt"
    )

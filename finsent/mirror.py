"""The folder that is searched before the Hub, on machines that cannot reach it."""

from __future__ import annotations

import os
from pathlib import Path

from finsent.errors import DataError


def mirror_from_environment() -> Path | None:
    """Return the folder named by FINSENT_MIRROR, None without it; DataError if it does not exist."""
    value = os.environ.get("FINSENT_MIRROR")
    if not value:
        return None
    if not Path(value).is_dir():
        raise DataError(
            f"FINSENT_MIRROR: {value!r} is not a folder; it should contain datasets/<namespace>/<name>/"
        )
    return Path(value)

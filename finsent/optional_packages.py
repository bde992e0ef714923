"""Packages that only some commands need; they are installed beside the others when they are wanted."""

from __future__ import annotations

from importlib.util import find_spec

from finsent.errors import FinsentError

METHODS = "requirements-methods.txt"


def require_package(package: str, what: str, requirements: str = METHODS) -> None:
    """Raise FinsentError, with the command that mends it, if what `what` names cannot import a package."""
    if find_spec(package) is None:
        raise FinsentError(
            f"{what} needs the package {package}, which is not installed; run: pip install -r {requirements}"
        )

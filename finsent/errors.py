"""The errors that a person can cause; a script prints them as one line and exits 1."""

from __future__ import annotations


class FinsentError(Exception):
    """Something that its message tells a person how to mend."""


class RecipeError(FinsentError):
    """A recipe that cannot be read or does not hold together."""


class DataError(FinsentError):
    """A data source that cannot be read, or rows that cannot be used."""


class BaseModelError(FinsentError):
    """Base weights that are missing, altered or of a kind that is not supported."""


class ReleaseError(FinsentError):
    """A release that is incomplete or does not pass its gate."""


def first_line(error: BaseException) -> str:
    """Return the first line of what an error of a library says, or its type where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]

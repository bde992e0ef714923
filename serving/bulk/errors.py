"""What ends a bulk run; the message says what to do."""

from __future__ import annotations


class BulkError(Exception):
    """An input that cannot be opened, or a run that must not go on."""

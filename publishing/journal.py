"""The receipt while a push is on its way: written after every step, and made true when one breaks off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from finsent.errors import FinsentError
from publishing.receipt import Receipt, write_receipt
from publishing.remote import Reader, Target


class Journal:
    """One receipt that grows. `path` is where it stands."""

    def __init__(self, receipt: Receipt, run: Path) -> None:
        self.receipt = receipt
        self._run = run
        self.path = write_receipt(receipt, run)

    def note(self, **changes: object) -> None:
        """Record what has just been found to be so."""
        self.receipt = self.receipt.with_(**changes)
        write_receipt(self.receipt, self._run)

    @contextmanager
    def kept_true(self, reader: Reader, target: Target, redacted: bool = True) -> Iterator[None]:
        """Whatever breaks the push off, ask the Hub what stands there and write that down, then raise on."""
        try:
            yield
        except BaseException as error:
            state = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
            message = reader.connection.redact(str(error) or type(error).__name__)
            self.note(state=state, message=message)
            if self.receipt.commit is None:
                self._look(reader, target)
            raise

    def _look(self, reader: Reader, target: Target) -> None:
        self.note(commit_is_certain=False)  # in case the next lines are broken off, too
        try:
            commit = reader.find_push(target, self.receipt.push)
        except FinsentError:
            return
        self.note(commit=commit, commit_is_certain=True)

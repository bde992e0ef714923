"""The receipt while a push is on its way: written after every step, and made true when one breaks off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from finsent.errors import FinsentError
from publishing.hub.remote import Reader, Target
from publishing.receipt import Receipt, write_receipt


class Journal:
    """One receipt that grows. `path` is where it is."""

    def __init__(self, receipt: Receipt, run: Path) -> None:
        self.receipt = receipt
        self._run = run
        self.path = write_receipt(receipt, run)

    def note(self, **changes: object) -> None:
        """Record what has just been found to be so."""
        self.receipt = self.receipt.with_(**changes)
        write_receipt(self.receipt, self._run)

    @contextmanager
    def kept_true(self, reader: Reader, target: Target, pull_request: bool = False) -> Iterator[None]:
        """Whatever breaks the push off, ask the Hub what is there and write that down, then raise on.

        The error takes a note along that names the receipt.
        """
        try:
            yield
        except BaseException as error:
            error.add_note(f"{self.path} says what is on the Hub")
            state = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
            message = reader.connection.redact(str(error) or type(error).__name__)
            self.note(state=state, message=message)
            if self.receipt.commit is None:
                # a request that was left alone may still be worked on; one that failed was waited for
                pending = not self.receipt.commit_is_certain and not isinstance(error, FinsentError)
                self._find_commit(reader, target, pull_request, pending)
            raise

    def _find_commit(self, reader: Reader, target: Target, pull_request: bool, pending: bool) -> None:
        self.note(commit_is_certain=False)  # in case the next lines are broken off, too
        try:
            if pull_request:
                commit, number = reader.find_pull_request(target, self.receipt.push) or (None, None)
            else:
                commit, number = reader.find_push(target, self.receipt.push), None
        except FinsentError:
            return
        self.note(commit=commit, pull_request=number, commit_is_certain=commit is not None or not pending)

"""What can end a push; every message says what is on the Hub and what to do next."""

from __future__ import annotations

from finsent.errors import FinsentError


class PublishError(FinsentError):
    """A push that cannot go on; hub_push.py prints it as one line and exits 1."""


class LintError(PublishError):
    """Something that must not be sent; nothing was."""


class CardConflictError(PublishError):
    """The README on the Hub was edited by hand, and nobody said what is to become of that."""


class StalePlanError(PublishError):
    """Somebody else committed after the plan was made."""


class GaveUpError(PublishError):
    """A step that failed as often as it may; whether it took effect is not known from this alone."""


class PaymentError(PublishError):
    """402: the account may not have this kind of Space."""

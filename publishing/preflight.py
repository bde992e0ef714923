"""Asking the Hub, before anything is sent, whether this token may do what is planned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from publishing.errors import GaveUpError, PublishError
from publishing.hub.connection import Connection
from publishing.hub.retries import Retries


@dataclass(frozen=True)
class Account:
    """Who publishes, and with what kind of token (read, write or fineGrained)."""

    name: str
    organizations: tuple[str, ...]
    role: str


def check_account(connection: Connection, retries: Retries, *repo_ids: str) -> Account:
    """Return whose token this is; PublishError if it may not write to the namespaces of `repo_ids`.

    whoami is rate limited strictly, so it is asked once a run. What a fine-grained token may do in detail
    shows only in use.
    """
    try:
        account = retries.retry("whoami", lambda: _read_account(connection.api.whoami()))
    except GaveUpError as error:
        raise PublishError(f"{connection.endpoint} does not answer ({error}); nothing was sent") from error
    except PublishError as error:
        raise PublishError(
            f"the token from {connection.source} is refused by {connection.endpoint} ({error}); "
            "create one with write access and log in again"
        ) from error
    check_rights(connection, account, repo_ids)
    return account


def _read_account(answer: dict[str, Any]) -> Account:
    organizations = tuple(str(org["name"]) for org in answer.get("orgs", []))
    role = str(answer.get("auth", {}).get("accessToken", {}).get("role", "unknown"))
    return Account(str(answer["name"]), organizations, role)


def check_rights(connection: Connection, account: Account, repo_ids: tuple[str, ...]) -> None:
    """Pass if the account may write to the namespaces of `repo_ids`; PublishError otherwise."""
    if account.role == "read":
        raise PublishError(
            f"the token from {connection.source} can only read; create one with write access and log in again"
        )
    allowed = (account.name, *account.organizations)
    for repo_id in repo_ids:
        owner = repo_id.partition("/")[0]
        if owner not in allowed:
            raise PublishError(
                f"{repo_id}: {account.name} may not write to {owner!r}, only to {', '.join(allowed)}; "
                "give --repo-id (and --space-id) in one of these"
            )

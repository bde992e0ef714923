"""The failures that the Hub answers with: a status, the clients' error code and a message for people."""

from __future__ import annotations

from typing import Any


class HubError(Exception):
    """An answer other than success; the clients choose their exception type by `code`."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        headers: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = headers or {}
        self.extra = extra or {}

    def header_items(self) -> dict[str, str]:
        """The headers of the answer; the message is folded into what an HTTP header may hold."""
        visible = "".join(character if character.isprintable() else " " for character in self.message[:1000])
        one_line = " ".join(visible.split()).encode("latin-1", "replace").decode("latin-1")[:500]
        headers = {"X-Error-Message": one_line, **self.headers}
        if self.code:
            headers["X-Error-Code"] = self.code
        return headers

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        return {"error": self.message.encode("utf-8", "replace").decode("utf-8"), **self.extra}


def bad_request(message: str, **extra: object) -> HubError:
    """400: the request cannot be understood or breaks a rule of the Hub."""
    return HubError(400, message, extra=extra)


def forbidden(message: str) -> HubError:
    """403: known, but not allowed."""
    return HubError(403, message)


def repository_not_found(anonymous: bool) -> HubError:
    """401 without a token, 404 with one: a repository that is missing or private to somebody else.

    The error code is what makes clients raise RepositoryNotFoundError over plain http.
    """
    message = "Invalid username or password." if anonymous else "Repository not found"
    return HubError(401 if anonymous else 404, message, code="RepoNotFound")


def revision_not_found(revision: str) -> HubError:
    """404: no such branch, tag or commit."""
    return HubError(404, f"Invalid rev id: {revision[:200]}", code="RevisionNotFound")


def entry_not_found(path: str, commit: str | None = None) -> HubError:
    """404: no such file; the commit lets clients remember that the file does not exist there."""
    headers = {"X-Repo-Commit": commit} if commit else {}
    return HubError(404, f"Entry not found: {path[:200]}", code="EntryNotFound", headers=headers)


def stale_parent() -> HubError:
    """412: somebody else committed since the parent that the client named."""
    return HubError(412, "A commit has happened since. Please refresh and try again.")

"""Who is asking: users, their tokens and what those may do."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path

from local_hub.durable import write_atomically
from local_hub.errors import HubError, forbidden
from local_hub.names import check_namespace
from local_hub.settings import Role, TokenGrant


@dataclass(frozen=True)
class Viewer:
    """A known user, as one of his tokens presents him."""

    name: str
    role: Role

    @property
    def may_write(self) -> bool:
        """Whether the token has the write role; where it may write is `Accounts.owns`."""
        return self.role == "write"


def parse_grant(text: str) -> TokenGrant:
    """Read `USER:ROLE:TOKEN`; ValueError says what is wrong without repeating the token.

    `@FILE` in place of the token reads it from a file, so that it does not stand in the process list.
    """
    user, _, rest = text.partition(":")
    role, _, token = rest.partition(":")
    if role not in ("read", "write") or not user or not token:
        raise ValueError(
            f"--token for user {user!r}: write it as USER:ROLE:TOKEN with the role read or write."
        )
    if token.startswith("@"):
        token = Path(token[1:]).read_text(encoding="utf-8").strip()
    try:
        check_namespace(user)
    except HubError as error:
        raise ValueError(error.message) from None
    return TokenGrant(user, "read" if role == "read" else "write", token)


def kept_token(path: Path) -> str:
    """A random token, made once and kept in the file with mode 0600."""
    if not path.exists():
        write_atomically(path, f"hf_{secrets.token_urlsafe(24)}\n".encode(), mode=0o600)
    return path.read_text(encoding="utf-8").strip()


def local_grant(root: Path) -> TokenGrant:
    """The user `local` with a random write token that lies in the root."""
    return TokenGrant("local", "write", kept_token(root / "token"))


def digest_of(token: str) -> bytes:
    """What is kept in place of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def bearer_of(header: str | None) -> str | None:
    """The token of an Authorization header, `Bearer T` or git's `Basic user:T`; None without one."""
    scheme, _, value = (header or "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode("utf-8", "replace").partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return None


class Accounts:
    """The users of this Hub; tokens are held as digests and compared in constant time."""

    def __init__(self, grants: tuple[TokenGrant, ...], organizations: tuple[str, ...]) -> None:
        self._viewers = [(digest_of(grant.token), Viewer(grant.user, grant.role)) for grant in grants]
        self.users = tuple(dict.fromkeys(grant.user for grant in grants))
        self.organizations = organizations

    def viewer_of_token(self, token: str) -> Viewer | None:
        """Whose token this is; every known token is compared, so that the time tells nothing."""
        digest, found = digest_of(token), None
        for known, viewer in self._viewers:
            if hmac.compare_digest(known, digest):
                found = viewer
        return found

    def digests(self) -> list[tuple[bytes, Viewer]]:
        """The digest of each token with its holder."""
        return list(self._viewers)

    def identify(self, authorization: str | None) -> Viewer | None:
        """The viewer behind an Authorization header, None if it is absent; 401 for an unknown token."""
        token = bearer_of(authorization)
        if token is None:
            return None
        viewer = self.viewer_of_token(token)
        if viewer is None:
            raise HubError(401, "Invalid credentials in Authorization header")
        return viewer

    def owns(self, viewer: Viewer | None, namespace: str) -> bool:
        """Whether the namespace is the viewer's own or that of an organization."""
        return viewer is not None and (viewer.name == namespace or namespace in self.organizations)

    def require_writer(self, viewer: Viewer | None, namespace: str, action: str) -> Viewer:
        """The viewer, if his token may write into the namespace; 401 or 403 otherwise."""
        if viewer is None:
            raise HubError(401, "Invalid username or password.")
        if not viewer.may_write:
            raise forbidden(f"This token has the role read; to {action} use a token with the role write.")
        if not self.owns(viewer, namespace):
            raise forbidden(f"You don't have the rights to {action} under the namespace {namespace!r}.")
        return viewer

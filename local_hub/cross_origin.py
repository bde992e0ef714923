"""What a browser may ask for: the host it names, the page it comes from, what that page may read."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urlsplit

from starlette.types import Scope

from local_hub.errors import HubError
from local_hub.settings import HubSettings

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)\.?(?::[0-9]{1,5})?", re.IGNORECASE)
# One repository's files and facts, and what a signature or a token of its own opens. A page anywhere may read
# them without credentials: transformers.js does. Lists of repositories and the pages for people are not here.
_OPEN = re.compile(
    r"/(?:models|datasets|spaces)/[^/]+/[^/]+/(?:resolve|app)(?:/|$)"
    r"|/api/(?:resolve-cache/)?(?:models|datasets|spaces)/[^/]+/[^/]+(?:/|$)"
    r"|/_hub/(?:storage|large|multipart|xet)/"
)


def header_of(scope: Scope, name: bytes) -> str | None:
    """The first header of that name."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address or name."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def other_site(host: str, bound: str) -> str:
    """The other name of this machine, where it has two: for cookies another site, which gets none of ours."""
    if host == "127.0.0.1":
        return "localhost"
    return "127.0.0.1" if host == "localhost" and bound in ("127.0.0.1", "0.0.0.0") else host


class HostCheck:
    """Refuses foreign names in `Host`: a page whose name was rebound to this machine's address sends its own.

    An address cannot be rebound. On loopback only loopback addresses make sense, elsewhere all of them do.
    """

    def __init__(self, settings: HubSettings) -> None:
        self._inside = is_loopback(settings.host)
        own = () if self._inside else (socket.gethostname().lower(),)
        self._names = {"localhost", settings.host.lower(), *own, *(name.lower() for name in settings.hosts)}

    def knows(self, authority: str) -> bool:
        """Whether this Hub answers for `name` or `name:port`."""
        match = _AUTHORITY.fullmatch(authority)
        if match is None:
            return False
        name = match[1].strip("[]").rstrip(".").lower()
        return name in self._names or (is_loopback(name) if self._inside else _is_address(name))

    def check(self, scope: Scope) -> None:
        """421 unless the request names this Hub; without `Host` (HTTP/1.0) no browser sent it."""
        authority = header_of(scope, b"host")
        if authority is not None and not self.knows(authority):
            raise HubError(
                421,
                f"This Hub does not answer for the host {authority[:100]!r}. Use its address, or start the "
                "Hub with --allow-host NAME if that is its name.",
            )


def is_own_page(scope: Scope) -> bool:
    """Whether no page of another origin (another port is one, too) is known to have made the request.

    Programs send neither `Origin` nor `Sec-Fetch-Site`; no page can make a browser lie in the latter.
    """
    site = header_of(scope, b"sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = header_of(scope, b"origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == (header_of(scope, b"host") or "").lower() != ""
    except ValueError:
        return False


def is_open(scope: Scope) -> bool:
    """Whether any page may read this address without credentials."""
    return bool(_OPEN.match(scope["path"]))


def may_be_read_elsewhere(scope: Scope) -> bool:
    """Whether a page of another origin may read the answer: an open address, or it brought a token itself.

    The answer is `*`, with which a browser never lets a page read what was asked with cookies.
    """
    if scope["method"] == "OPTIONS":
        wanted = (header_of(scope, b"access-control-request-headers") or "").lower()
        return is_open(scope) or "authorization" in re.split(r"[,\s]+", wanted)
    return is_open(scope) or header_of(scope, b"authorization") is not None


def check_origin(scope: Scope) -> None:
    """403 where a page of another origin changes something without a token or a signature of its own."""
    if scope["method"] in SAFE_METHODS or is_own_page(scope) or may_be_read_elsewhere(scope):
        return
    raise HubError(403, "A page of another site made this request. Sign in on this Hub's own page.")

"""What we use of huggingface_hub 0.36 beside its public API: here and nowhere else.

Some of it is private, so another version may move it; `tests/publishing/hub/test_client.py` says so first.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import requests
from huggingface_hub import configure_http_backend, constants, file_download
from huggingface_hub.utils._headers import build_hf_headers
from huggingface_hub.utils._http import UniqueRequestIdAdapter, get_session, hf_raise_for_status

from finsent.environment import is_loopback
from publishing.errors import PublishError

LARGEST_ANSWER = 64 << 20  # bytes, decoded, of an answer that is read in one piece; files are not
_ETAG = re.compile(r'(W/)?"?[A-Za-z0-9][\w.:+=-]{0,199}"?')  # names a file of the client's cache
DOWNLOAD_URL = "/{repo_id}/resolve/{revision}/{filename}"


class PatientAdapter(UniqueRequestIdAdapter):
    """Gives every request our timeouts: huggingface_hub 0.36 sends its POSTs without any."""

    def __init__(self, connect: float, read: float) -> None:
        super().__init__()
        self._timeouts = (connect, read)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        """Send with our timeouts, whatever the caller thought of; PublishError for an answer of no Hub."""
        answer: requests.Response = super().send(request, *args, **{**kwargs, "timeout": self._timeouts})
        if request.method == "HEAD":
            _check_etag(answer)
        if not kwargs.get("stream"):
            _read_bounded(answer)
        return answer


def _check_etag(answer: requests.Response) -> None:
    """Refuse an ETag that is no plain name: the client writes a file of that name."""
    etag = answer.headers.get("X-Linked-ETag") or answer.headers.get("ETag")
    if etag and not _ETAG.fullmatch(etag):
        raise PublishError(f"{_host(answer)}: answers with the ETag {etag[:60]!r}, which a Hub never does")


def _read_bounded(answer: requests.Response) -> None:
    """Read the body, and stop before it fills the memory; the client would read it whole."""
    pieces, size = [], 0
    for piece in answer.iter_content(1 << 20):
        size += len(piece)
        if size > LARGEST_ANSWER:
            answer.close()
            raise PublishError(
                f"{_host(answer)}: answers with over {LARGEST_ANSWER >> 20} MB, which a Hub never does"
            )
        pieces.append(piece)
    answer._content = b"".join(pieces)


def _host(answer: requests.Response) -> str:
    return answer.url.partition("?")[0][:200]


def use_hub(endpoint: str, connect: float, read: float) -> None:
    """Point this process's client at one Hub; timeouts are seconds to connect, and seconds without a byte.

    The constants are changed, too: 0.36 reads a new commit's address with them, not with HfApi's endpoint.
    Large files go over plain HTTP, neither Xet nor hf_transfer: those know neither these timeouts nor our
    retries. A Hub on this machine is asked directly, whatever proxy the environment names.
    """
    constants.ENDPOINT = endpoint
    constants.HF_HUB_DISABLE_XET = True
    constants.HF_HUB_ENABLE_HF_TRANSFER = False
    constants.HUGGINGFACE_CO_URL_TEMPLATE = endpoint + DOWNLOAD_URL
    vars(file_download)["HUGGINGFACE_CO_URL_TEMPLATE"] = endpoint + DOWNLOAD_URL  # it has a copy of its own
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # of retries we tell ourselves

    def session() -> requests.Session:
        made = requests.Session()
        made.trust_env = not is_loopback(endpoint)
        for scheme in ("http://", "https://"):
            made.mount(scheme, PatientAdapter(connect, read))
        return made

    configure_http_backend(session)


def get(url: str, token: str | None = None, stream: bool = False) -> requests.Response:
    """Return the answer of a GET, whatever its status; with `token` as the client itself would ask."""
    return get_session().get(url, headers=_headers(token), stream=stream)


def fetch(url: str, token: str) -> bytes:
    """Return the bytes behind an address; HfHubHTTPError, of the client's own kinds, for a refusal."""
    answer = get(url, token)
    hf_raise_for_status(answer)
    return bytes(answer.content)


def post(url: str, token: str, content: dict[str, str]) -> None:
    """Post JSON; HfHubHTTPError for a refusal."""
    hf_raise_for_status(get_session().post(url, headers=_headers(token), json=content))


def _headers(token: str | None) -> dict[str, str]:
    """Return the client's headers, and none at all without a token: then the address is not the Hub's."""
    return build_hf_headers(token=token) if token else {}

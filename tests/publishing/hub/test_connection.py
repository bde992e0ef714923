from __future__ import annotations

import pytest

from publishing.errors import PublishError
from publishing.hub.connection import Timeouts, connect, find_token


def test_the_token_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = connect("http://127.0.0.1:9", "hf_secretsecret", Timeouts())
    assert "secretsecret" not in repr(connection)
    assert connection.redact("at hf_secretsecret and Bearer abc") == "at *** and Bearer ***"
    monkeypatch.setenv("HF_TOKEN", "hf_fromtheenvironment")
    assert find_token() == ("hf_fromtheenvironment", "HF_TOKEN")


def test_no_token_at_all() -> None:
    with pytest.raises(PublishError, match="no token: run 'hf auth login'"):
        find_token()


@pytest.mark.parametrize("endpoint", ["huggingface.co", "https://user:pass@host", "ftp://host", ""])
def test_an_endpoint_is_an_address_without_a_password(endpoint: str) -> None:
    with pytest.raises(PublishError, match="endpoint: write it as https://host"):
        connect(endpoint, "hf_x", Timeouts())

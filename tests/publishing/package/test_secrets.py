from __future__ import annotations

import pytest

from publishing.package.manifest import Manifest
from publishing.package.secrets import find_leaks


@pytest.mark.parametrize(
    "secret",
    [
        "hf_" + "a1B2" * 8, "AKIA" + "ABCD1234EFGH5678", "ghp_" + "a" * 36, "sk-proj-" + "a1" * 16,
        "-----BEGIN OPENSSH PRIVATE KEY-----", "https://ann:geheim@host/", "xoxb-" + "1" * 12,
    ],
)  # fmt: skip
def test_secrets_are_found_and_not_repeated(secret: str) -> None:
    manifest = Manifest("model", {}).replace("recipe.yaml", f"a: 1\nkey: {secret}\n".encode())
    found = list(find_leaks(manifest))
    assert len(found) == 1 and found[0].startswith("recipe.yaml:2: contains ") and secret not in found[0]


def test_the_own_token_is_found_by_its_value() -> None:
    manifest = Manifest("model", {}).replace("recipe.yaml", b"oddly-shaped-token")
    assert list(find_leaks(manifest)) == []
    assert "your own token" in next(find_leaks(manifest, "oddly-shaped-token"))

"""A scan for secrets in what is about to become public."""

from __future__ import annotations

import re
from collections.abc import Iterator

from publishing.package.manifest import Manifest

LARGEST = 20 << 20  # bytes; larger files are weights, which are not text
# Prefixes as their issuers document them; a value that only looks random is not reported.
SECRETS = {
    "a Hugging Face token": re.compile(rb"\bhf_[A-Za-z0-9]{20,}"),
    "a private key": re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "an AWS access key": re.compile(rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{50,})"),
    "an API key": re.compile(rb"\bsk-(?:[a-z]+-)*[A-Za-z0-9]{20,}"),
    "a Slack token": re.compile(rb"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    "a Google API key": re.compile(rb"\bAIza[0-9A-Za-z_-]{35}"),
    "a password in an address": re.compile(rb"\bhttps?://[^\s/:@]{1,64}:[^\s/@]{3,}@"),
}


def find_leaks(manifest: Manifest, token: str | None = None) -> Iterator[str]:
    """Yield `path:line: what` for every secret, never the secret; `token` is looked for by its value."""
    own = {"your own token": re.compile(re.escape(token.encode()))} if token else {}
    for file in manifest.files.values():
        if file.size > LARGEST:
            continue
        content = file.content()
        for kind, pattern in (own | SECRETS).items():
            if match := pattern.search(content):
                line = content.count(b"\n", 0, match.start()) + 1
                yield f"{file.path}:{line}: contains {kind}; remove it, and revoke it if it was ever shared"
                break

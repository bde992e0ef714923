"""What a repository may be called, so that a name which no Hub takes is refused before anything is made."""

from __future__ import annotations

import re

_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
PATTERN = f"^{_PART}/{_PART}$"


def check_hub_id(text: str) -> str:
    """Return an id `owner/name` that the Hub takes; ValueError with the rule for any other.

    https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/utils/_validators.py
    """
    parts = text.split("/")
    forbidden = any(".." in part or "--" in part or part.lower().endswith(".git") for part in parts)
    if forbidden or not re.fullmatch(PATTERN, text):
        raise ValueError(
            f"{text!r}: is not a repository id; write it as owner/name, each of 1 to 96 letters, digits, "
            "'-', "
            "'_' or '.', not starting or ending with '-' or '.', without '--' or '..', not ending in '.git'"
        )
    return text

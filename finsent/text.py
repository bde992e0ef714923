"""What every stage takes for a link and for a cashtag, and when two texts are the same one.

The regular expressions stay in the dialect that Oniguruma (Rust) and JavaScript share, as they are compiled
into tokenizer.json.
"""

from __future__ import annotations

import re

LINK = r"https?://\S+"
CASHTAG = r"\$(?=[A-Za-z])"


def comparable(text: str) -> str:
    """Return letters and digits in lower case without links: texts that are equal in this are the same."""
    return " ".join(re.findall(r"[^\W_]+", re.sub(LINK, " ", text).lower()))

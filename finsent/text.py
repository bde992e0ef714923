"""What every stage takes for a link and for a cashtag, and when two texts are the same one.

The regular expressions stay in the dialect that Oniguruma (Rust) and JavaScript share, as they are compiled
into tokenizer.json.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata

LINK = r"https?://\S+"
CASHTAG = r"\$(?=[A-Za-z])"
_SPACES = {code: " " for code in range(128) if not chr(code).isalnum()}


def comparable(text: str) -> str:
    """Return letters and digits in lower case without links: texts that are equal in this are the same.

    Marks count with their letter, as a vowel of Hindi is one.
    """
    bare = re.sub(LINK, " ", text).lower()
    if bare.isascii():
        return " ".join(bare.translate(_SPACES).split())
    return " ".join(_words().findall(unicodedata.normalize("NFC", bare)))


@functools.cache
def _words() -> re.Pattern[str]:
    """Return an expression for letters and digits with the marks behind them, which `re` calls no words."""
    marks = "".join(chr(code) for code in range(sys.maxunicode) if unicodedata.category(chr(code))[0] == "M")
    return re.compile(rf"(?:[^\W_][{marks}]*)+")

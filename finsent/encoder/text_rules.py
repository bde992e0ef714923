"""Text rules as a `tokenizers` normalizer, so that every runtime cleans alike and nothing else has to.

The regular expressions stay in the dialect that Oniguruma (Rust) and JavaScript share.
"""

from __future__ import annotations

import re

from tokenizers import Regex, normalizers

from finsent.recipe.recipe import Text

LINK = r"https?://\S+"
CASHTAG = r"\$(?=[A-Za-z])"


def build_normalizer(text: Text) -> normalizers.Normalizer:
    """Return the normalizer sequence of a recipe.

    The bound on characters comes last: BertNormalizer decomposes (a Hangul syllable becomes three letters),
    so a cut before it would not bound the tokens. A character is at most one piece: that bounds positions.
    """
    steps: list[normalizers.Normalizer] = []
    if text.drop_links:
        steps.append(normalizers.Replace(Regex(LINK), ""))
    if text.strip_cashtags:
        steps.append(normalizers.Replace(Regex(CASHTAG), ""))
    steps.append(
        normalizers.BertNormalizer(
            clean_text=True, handle_chinese_chars=True, strip_accents=text.lowercase, lowercase=text.lowercase
        )
    )
    steps.append(normalizers.Replace(Regex(rf"(?<=^[\s\S]{{{text.max_characters}}})[\s\S]+"), ""))
    return normalizers.Sequence(steps)


def comparable(text: str) -> str:
    """Return letters and digits in lower case without links: equal values mean the same headline."""
    return " ".join(re.findall(r"[^\W_]+", re.sub(LINK, " ", text).lower()))

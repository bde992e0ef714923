"""Text rules as a `tokenizers` normalizer, so that every runtime cleans alike and nothing else has to."""

from __future__ import annotations

from tokenizers import Regex, normalizers

from finsent.recipe.encoder import Text
from finsent.text import CASHTAG, LINK


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

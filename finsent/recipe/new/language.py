"""Which language texts are in: by their script, and in Latin letters by their most frequent words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

SAMPLE = 2000  # texts; more do not change the answer
LEAST_SHARE = 0.02  # of all words that must be stop words before a language is named

LANGUAGES = {
    "ar": "Arabic", "bn": "Bengali", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew",
    "hi": "Hindi", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian", "it": "Italian", "ja": "Japanese",
    "ka": "Georgian", "ko": "Korean", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "ta": "Tamil", "te": "Telugu", "th": "Thai",
    "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip

_BY_SCRIPT = {
    "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh", "CYRILLIC": "ru", "ARABIC": "ar",
    "HEBREW": "he", "GREEK": "el", "DEVANAGARI": "hi", "THAI": "th", "BENGALI": "bn", "TAMIL": "ta",
    "TELUGU": "te", "GEORGIAN": "ka", "ARMENIAN": "hy",
}  # fmt: skip

# Letters that another language of the same script does not write.
_BY_LETTER = {"ru": ("uk", "іїєґ"), "ar": ("fa", "پچژگ")}

_STOP_WORDS = {
    "cs": "a se na je že to v s z do jsem ale jako by jsou není pro jen co",
    "da": "og i at det er en til på af jeg ikke den med der for et har du var",
    "de": "der die und das ist nicht ich ein zu mit es auf den für sie von dem eine auch im",
    "en": "the of and to in is it that for on was with i you this are not my be have at",
    "es": "de la que el en y los se del las por un una con no para es lo su muy",
    "fi": "ja on ei se että en hän oli mutta ovat kun niin olen minä joka myös",
    "fr": "de la le et les des en un une est que pour pas dans je du qui ne sur il",
    "hu": "a az és hogy nem is egy ez meg van volt csak már de ha mint",
    "id": "yang dan di ini itu dengan untuk tidak dari saya ada akan pada ke bisa",
    "it": "di che è la il un a per non in una sono del si con le della mi ho",
    "nl": "de het een en van ik te dat is die in niet zijn op aan met voor er maar",
    "no": "og i det er en til på av jeg ikke den med som for et har du var å",
    "pl": "i w nie na się to że z jest do jak ale za co po o od tak",
    "pt": "de que e o a do da em um para não uma com os no se na por mais muito",
    "ro": "și de la nu în a că un este o cu pe mai din care pentru sunt",
    "sv": "och i att det är en som på jag inte av för den med till har ett om så",
    "tr": "ve bir bu çok da de için ne ama gibi daha ben o var mi kadar değil",
    "vi": "và là của không có cho được một những các tôi này trong đã với rất",
}
_STOPS = {language: frozenset(words.split()) for language, words in _STOP_WORDS.items()}


def guess_language(texts: Iterable[str]) -> tuple[str, str]:
    """Return an ISO 639-1 code and the reason; English where nothing else is seen."""
    sample = "\n".join(text for text, _ in zip(texts, range(SAMPLE), strict=False)).lower()
    letters = Counter(letter for letter in sample if letter.isalpha())
    scripts: Counter[str] = Counter()
    for letter, count in letters.items():
        scripts[_script(letter)] += count
    if {"HIRAGANA", "KATAKANA"} & scripts.keys():
        scripts["HIRAGANA"] += scripts.pop("CJK", 0)  # Japanese is written with both
    script = scripts.most_common(1)[0][0] if scripts else ""
    if script not in _BY_SCRIPT:
        return _by_stop_words(sample)
    language = _BY_SCRIPT[script]
    sibling, marks = _BY_LETTER.get(language, ("", ""))
    if marks and sum(letters[mark] for mark in marks) > letters.total() / 200:
        language = sibling
    share = scripts[script] / letters.total()
    return language, f"{share:.0%} of the letters are {script.capitalize()}"


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _by_stop_words(sample: str) -> tuple[str, str]:
    words = Counter(re.findall(r"[^\W\d_]+", sample))
    found = {name: sum(words[stop] for stop in stops) for name, stops in _STOPS.items()}
    best = max(found, key=lambda name: (found[name], name == "en"))
    share = found[best] / max(1, words.total())
    if share < LEAST_SHARE:
        return "en", "no frequent words of another language were found"
    return best, f"{share:.0%} of the words are frequent {LANGUAGES[best]} ones"

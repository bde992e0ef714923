"""Changes of a sentence that leave its meaning for an investor as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# Invented, of several countries and shapes; none of them carries good or bad news in itself.
COMPANIES = (
    "Norrvassen",
    "Pasadore Industries",
    "Tanvirek",
    "Oakenmere & Sons",
    "Brünnweiler AG",
    "Kisoboro",
)
TICKERS = ("QZWM", "LORVA", "TDKX", "BRUNQ")
CODES = ("EUR", "USD", "GBP", "SEK", "CHF")
SIGNS = ("€", "$", "£")
CODE = re.compile(rf"\b(?:{'|'.join(CODES)})(?= \d)")
SIGN = re.compile(r"[€$£](?=\d)")
LINK = re.compile(r" https://\S+")


@dataclass(frozen=True)
class Sentence:
    """A sentence and what in it may be replaced; empty where there is nothing of the kind."""

    text: str
    company: str = ""
    ticker: str = ""
    amount: str = ""
    other_amounts: tuple[str, ...] = ()


def change_company(sentence: Sentence) -> Iterator[str]:
    """Yield the sentence with other companies."""
    if sentence.company:
        yield from (sentence.text.replace(sentence.company, name) for name in COMPANIES)


def change_ticker(sentence: Sentence) -> Iterator[str]:
    """Yield the sentence with other tickers, and without the cashtag's sign."""
    if sentence.ticker:
        yield from (sentence.text.replace(f"${sentence.ticker}", f"${name}") for name in TICKERS)
        yield sentence.text.replace(f"${sentence.ticker}", sentence.ticker)


def change_currency(sentence: Sentence) -> Iterator[str]:
    """Yield the sentence in other currencies, codes as codes and signs as signs."""
    for pattern, names in ((CODE, CODES), (SIGN, SIGNS)):
        changed = {pattern.sub(lambda _, name=name: name, sentence.text) for name in names}  # type: ignore[misc]
        yield from sorted(changed - {sentence.text})


def change_amount(sentence: Sentence) -> Iterator[str]:
    """Yield the sentence with other figures, where the figure does not decide."""
    if sentence.amount:
        yield from (sentence.text.replace(sentence.amount, other) for other in sentence.other_amounts)


def change_case(sentence: Sentence) -> Iterator[str]:
    """Yield the sentence in capitals, in small letters and with Capitals As In A Title."""
    links = LINK.findall(sentence.text)  # an address is not a matter of taste
    text = LINK.sub("", sentence.text)
    title = re.sub(r"(?<![\w'])[a-z]", lambda match: match[0].upper(), text)
    yield from (changed + "".join(links) for changed in dict.fromkeys((text.upper(), text.lower(), title)))


def change_link(sentence: Sentence) -> Iterator[str]:
    """Yield the sentence with another link and without one, or with a link at its end."""
    if LINK.search(sentence.text):
        yield LINK.sub(" https://t.co/Zr5nB2vKdE", sentence.text)
        yield LINK.sub("", sentence.text)
    else:
        yield f"{sentence.text} https://t.co/Zr5nB2vKdE"


def change_punctuation(sentence: Sentence) -> Iterator[str]:
    """Yield the sentence with a full stop, in quotation marks, with doubled blanks, and without commas."""
    if not LINK.search(sentence.text):
        yield f"{sentence.text}."
    yield f"“{sentence.text}”"
    yield sentence.text.replace(" ", "  ")
    if ", " in sentence.text:
        yield sentence.text.replace(", ", " ")


CHANGES: dict[str, Callable[[Sentence], Iterator[str]]] = {
    "company": change_company,
    "ticker": change_ticker,
    "currency": change_currency,
    "amount": change_amount,
    "case": change_case,
    "link": change_link,
    "punctuation": change_punctuation,
}

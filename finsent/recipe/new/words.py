"""The words of the card: what a person said, and plain sentences where he said nothing.

A sentence that nobody said is marked, so that a person finds it before he publishes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from finsent.licences import OTHER
from finsent.recipe.new.labels import find_tones
from finsent.recipe.new.language import LANGUAGES
from finsent.recipe.new.questions import EXAMPLES, Answers, split_unit

FILL_IN = "TO FILL IN"
ALL_RIGHTS = ("all-rights-reserved", "https://en.wikipedia.org/wiki/All_rights_reserved")
EXAMPLE_LENGTH = 120  # characters; what a widget shows on two lines


@dataclass(frozen=True)
class Words:
    """The sections `card` and `hub`, and comments on their keys by path."""

    card: dict[str, Any]
    hub: dict[str, Any]
    comments: dict[str, str]


@dataclass(frozen=True)
class Subject:
    """What the words are about; `texts` are those of each label, `licence` that of the release."""

    name: str
    labels: list[str]
    language: str
    language_reason: str
    licence: str
    bound: int
    texts: dict[str, list[str]]


def write_words(subject: Subject, said: Answers) -> Words:
    """Return the sections with everything that a card needs."""
    one, many = split_unit(said.unit or "text/texts")
    title = said.title or subject.name.replace("-", " ").capitalize()
    language = LANGUAGES.get(subject.language, subject.language)
    meanings = {label: said.meanings.get(label, label) for label in subject.labels}
    examples, example_comment = _examples(subject, said, one)
    card: dict[str, Any] = {
        "title": title,
        **_sentences(subject, one, many, language),
        "licence": subject.licence,
        **_other_licence(subject.licence),
        "language": subject.language,
        "authors": [said.author or f"The authors of {title}"],
        "unit": {"one": one, "many": many},
        "label_meanings": meanings,
        **({"tones": tones} if (tones := find_tones(subject.labels)) else {}),
        "examples": examples,
    }
    comments = _comments(subject, said, meanings) | example_comment
    hub_id = said.hub_id or f"me/{subject.name}"
    return Words(card, {"model": hub_id, "space": f"{hub_id}-demo"}, comments)


def _sentences(subject: Subject, one: str, many: str, language: str) -> dict[str, Any]:
    return {
        "summary": f"A small {language} classifier that sorts {many} into {_list(subject.labels)}.",
        "intended_use": f"Sorting and counting {many} like those of its data, one {one} at a time.",
        "out_of_scope": [
            f"{capital(many)} in languages other than {language}.",
            "Texts of another kind than its training data.",
            "Decisions about people that no person reviews.",
        ],
        "limits": [
            f"It was trained only on the {many} in its data and knows nothing else.",
            f"Text is cut after {subject.bound} characters; the rest has no effect.",
        ],
    }


def _other_licence(licence: str) -> dict[str, str]:
    return dict(zip(("licence_name", "licence_link"), ALL_RIGHTS, strict=True)) if licence == OTHER else {}


def _comments(subject: Subject, said: Answers, meanings: dict[str, str]) -> dict[str, str]:
    comments = {
        "card.summary": f"{FILL_IN}: what the model does, in your own words.",
        "card.limits": f"{FILL_IN}: what users should know about the data.",
        "card.language": f"Guessed: {subject.language_reason}.",
    }
    if said.unit is None:
        comments["card.unit"] = f"{FILL_IN}: what one text is called, and several of them: review, reviews."
    if said.author is None:
        comments["card.authors"] = f"{FILL_IN}: the author of the model."
    if any(told == label for label, told in meanings.items()):
        comments["card.label_meanings"] = (
            f"{FILL_IN}: what each label means, as you would explain it to a colleague."
        )
    if subject.licence == OTHER:
        comments["card.licence_name"] = (
            f"{FILL_IN}: no licence was given for the data, so all rights are reserved."
        )
    if find_tones(subject.labels):
        comments["card.tones"] = "Guessed from the names; good is green, bad is red."
    if said.hub_id is None:
        comments["hub.model"] = f"{FILL_IN}: your name on the Hub for 'me', or give --repo-id to hub_push.py."
    return comments


def _examples(subject: Subject, said: Answers, one: str) -> tuple[list[dict[str, str]], dict[str, str]]:
    labels = subject.labels[:EXAMPLES]
    told = [(label, text) for label, text in said.examples.items()]
    if told:
        return _example_tree(told), {}
    if said.show_texts:
        taken = [(label, _typical(subject.texts[label])) for label in labels]
        return _example_tree(taken), {"card.examples": "Taken from the data, which may be shown."}
    invented = [(label, f"Write a {one} here that is {label}.") for label in labels]
    comment = (
        f"{FILL_IN}: your own texts. None were taken from the data, because you did not allow to show them."
    )
    return _example_tree(invented), {"card.examples": comment}


def _example_tree(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"title": capital(label), "text": text, "expected": label} for label, text in pairs]


def _typical(texts: list[str]) -> str:
    """Return a text of middling length among those that a widget can show."""
    fit = sorted(
        {text for text in texts if len(text) <= EXAMPLE_LENGTH} or texts, key=lambda one: (len(one), one)
    )
    return fit[len(fit) // 2]


def _list(labels: list[str]) -> str:
    if len(labels) > 6:
        return f"{len(labels)} classes"
    return f"{', '.join(labels[:-1])} and {labels[-1]}"


def capital(text: str) -> str:
    """Return a text that begins like a sentence."""
    return text[:1].upper() + text[1:]

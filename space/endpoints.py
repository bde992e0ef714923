"""The API of the demo and its MCP tools: stable names, plain types.

Annotations are not postponed here: gradio.api reads the return types as they are.
"""

from collections.abc import Callable
from typing import TypedDict

import gradio as gr
from inference.classifier import Prediction, replace_surrogates
from inference.explain import READ_CHARACTERS, Explanation, explain

from batch import MOST_CHARACTERS
from model import Model

MOST_TEXTS = 1_000


class Answer(TypedDict):
    """The answer to one text. `unsure` is true where answers with so low a score are often wrong."""

    label: str
    score: float
    scores: dict[str, float]
    unsure: bool


class WordEffect(TypedDict):
    """A word and by how much it raises the probability of the label; None: not tried."""

    word: str
    effect: float | None


class Reasons(TypedDict):
    """The label of a text, and what each word did to it."""

    label: str
    words: list[WordEffect]


Explain = Callable[[str], Reasons]
Functions = tuple[Callable[[str], Answer], Callable[[list[str]], list[Answer]], Explain, Explain]


def add_endpoints(model: Model) -> None:
    """Add /classify, /classify_batch, /explain_words and /shapley_values to the Blocks that is open."""
    classify, classify_batch, explain_words, shapley_values = make_functions(model)
    gr.api(classify, api_name="classify", concurrency_id="quick", concurrency_limit=2)
    gr.api(classify_batch, api_name="classify_batch", concurrency_id="batch", concurrency_limit=1)
    for function in (explain_words, shapley_values):
        gr.api(function, api_name=function.__name__, concurrency_id="quick", concurrency_limit=2)


def make_functions(model: Model) -> Functions:
    """Return the functions behind the endpoints; their signatures and docstrings are the public contract."""

    def describe(one: Prediction) -> Answer:
        unsure = one.score < model.doubt.threshold
        return {"label": one.label, "score": one.score, "scores": one.scores, "unsure": unsure}

    def classify(text: str) -> Answer:
        """Classify one {one}.

        {summary} Returns the label, its calibrated probability (score), the probabilities of all labels
        (scores), and unsure, which is true where answers with so low a score are often wrong. The labels are
        {labels}.

        Args:
            text: One {one}, at most {most} characters; about the first {read} are read.

        """
        return describe(model.classifier(check_text(text)))

    def classify_batch(texts: list[str]) -> list[Answer]:
        """Classify up to {most_texts} {many}, in the order in which they come.

        {summary} Faster than one call for each. Each answer has label, score, scores and unsure, as from
        classify.

        Args:
            texts: The {many}, each at most {most} characters.

        """
        return [describe(one) for one in model.classifier.classify(check_texts(texts))]

    def explain_words(text: str) -> Reasons:
        """Tell which words of one {one} decided its label, by leaving each of them out in turn.

        Returns the label and the words in their order. The effect of a word is by how much it raises the
        probability of that label: above 0 a word speaks for the label, below 0 against it. It is null for
        words behind what the model reads.

        Args:
            text: One {one}, at most {most} characters.

        """
        return list_reasons(explain(model.classifier, check_text(text)))

    def shapley_values(text: str) -> Reasons:
        """Tell which words of one {one} decided its label, by adding them in random orders.

        It takes longer than explain_words, and also finds words that say the same twice. The answer has the
        same form; the effects add up to what all words together do.

        Args:
            text: One {one}, at most {most} characters.

        """
        return list_reasons(explain(model.classifier, check_text(text), "shapley"))

    for function in (classify, classify_batch, explain_words, shapley_values):
        function.__doc__ = _describe_function(function, model)
    return classify, classify_batch, explain_words, shapley_values


def list_reasons(found: Explanation) -> Reasons:
    """Return an explanation in plain types."""
    words: list[WordEffect] = [{"word": word.text, "effect": word.effect} for word in found.words]
    return {"label": found.label, "words": words}


def _describe_function(function: Callable[..., object], model: Model) -> str:
    """Return the description that API and MCP give of a function, in the words of the release."""
    labels = [label.replace("\n", " ") for label in model.labels]
    return (
        str(function.__doc__)
        .format(
            one=model.unit.one,
            many=model.unit.many,
            summary=model.summary,
            labels=", ".join(labels),
            most=f"{MOST_CHARACTERS:,}",
            most_texts=f"{MOST_TEXTS:,}",
            read=READ_CHARACTERS,
        )
        .replace(" \n", "\n")
    )


def check_text(text: object) -> str:
    """Return the text without lone surrogates, which no answer can hold.

    gr.Error if it is not one, empty, or too long.
    """
    if not isinstance(text, str):
        raise gr.Error(f"text: got {type(text).__name__}, expected a string", print_exception=False)
    if not text.strip():
        raise gr.Error("text: it is empty; write one", print_exception=False)
    if len(text) > MOST_CHARACTERS:
        raise gr.Error(
            f"text: it has {len(text):,} characters, at most {MOST_CHARACTERS:,} are taken; send less",
            print_exception=False,
        )
    return replace_surrogates(text)


def check_texts(texts: object) -> list[str]:
    """Return the texts; gr.Error when it is no list of strings, or too many. Empty ones are allowed."""
    if not isinstance(texts, list):
        raise gr.Error(
            f"texts: got {type(texts).__name__}, expected a list of strings", print_exception=False
        )
    if len(texts) > MOST_TEXTS:
        raise gr.Error(
            f"texts: got {len(texts):,}, at most {MOST_TEXTS:,} are taken; send several calls",
            print_exception=False,
        )
    for position, text in enumerate(texts):
        if not isinstance(text, str) or len(text) > MOST_CHARACTERS:
            found = f"{len(text):,} characters" if isinstance(text, str) else type(text).__name__
            raise gr.Error(
                f"texts[{position}]: got {found}, expected at most {MOST_CHARACTERS:,} characters",
                print_exception=False,
            )
    return texts

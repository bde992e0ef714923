"""Figures that others publish for Financial PhraseBank. None was measured here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """A claim and where it was read. `figure` is accuracy, and macro F1 after a slash where that is given.

    `rows` says what it was tested on. Most test sets are drawn from the sentences on which half of the
    annotators agreed; those on which all agreed are much easier.
    """

    model: str
    parameters: str
    figure: str
    rows: str
    read_in: str


TINYFINBERT = "the page of graison-thomas/TinyFinBERT (https://arxiv.org/abs/2409.18999)"
MODERNFINBERT = "the figures collected for ModernFinBERT (vincentdrenth/ModernFinBERT)"
HALF = "half agreed"

PHRASEBANK = (
    Published(
        "FinBERT, by its paper (https://arxiv.org/abs/1908.10063)",
        "110 M",
        "0.86 / 0.84",
        f"a fifth, {HALF}",
        MODERNFINBERT,
    ),
    Published(
        "FinBERT, its published weights, which may have learnt some of these rows",
        "110 M",
        "0.842",
        f"970 sentences, {HALF}",
        TINYFINBERT,
    ),
    Published(
        "the same, trained on further texts by GPT-4o", "110 M", "0.874", f"the same 970, {HALF}", TINYFINBERT
    ),
    Published("TinyFinBERT, taught by that one", "14.5 M", "0.833", f"the same 970, {HALF}", TINYFINBERT),
    Published(
        "FinBERT with a vocabulary of its own (https://arxiv.org/abs/2006.08097)",
        "110 M",
        "0.872",
        "a tenth, mean of ten runs",
        MODERNFINBERT,
    ),
    Published("ModernBERT-base with LoRA", "149 M", "0.869 / 0.854", f"ten folds, {HALF}", MODERNFINBERT),
    Published(
        "FinGPT v3.3, a Llama 2 with LoRA",
        "13,000 M",
        "weighted F1 0.882",
        f"a quarter, {HALF}",
        "README of AI4Finance-Foundation/FinGPT",
    ),
    Published(
        "mrm8488/distilroberta-finetuned-financial-news-sentiment-analysis",
        "82 M",
        "0.982",
        "about 226 sentences, all agreed; the best of five passes was chosen by them",
        "its card",
    ),
)


def tell_published(claims: tuple[Published, ...]) -> list[str]:
    """Return the lines of a table of claims."""
    return [
        "| model | parameters | accuracy / macro F1 | tested on | read in |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {one.model} | {one.parameters} | {one.figure} | {one.rows} | {one.read_in} |"
            for one in claims
        ),
    ]

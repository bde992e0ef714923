"""Figures that others publish for the data sets of the family. None was measured here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """A claim as it stands in `source`; `figure` is accuracy, with F1 after a slash where it is given."""

    model: str
    parameters: str
    figure: str
    rows: str
    source: str


PHRASEBANK = (
    Published(
        "FinBERT", "110 M", "0.86 / 0.84", "a fifth of the sentences", "https://arxiv.org/abs/1908.10063"
    ),
    Published(
        "the published weights of ProsusAI/finbert",
        "110 M",
        "0.842",
        "970 sentences",
        "https://arxiv.org/abs/2409.18999",
    ),
    Published("TinyFinBERT", "14.5 M", "0.833", "the same 970 sentences", "https://arxiv.org/abs/2409.18999"),
    Published(
        "FinBERT with a vocabulary of its own",
        "110 M",
        "0.872",
        "a tenth",
        "https://arxiv.org/abs/2006.08097",
    ),
    Published(
        "a TinyBERT card of the Hub, 54.8 MB", "14.5 M", "0.892 / 0.87", "it does not say which", "its card"
    ),
    Published(
        "mrm8488/distilroberta-finetuned-financial-news-sentiment-analysis",
        "82 M",
        "0.982",
        "sentences that all annotators agreed on; the best of five passes on these",
        "its card",
    ),
)


def tell_published(claims: tuple[Published, ...]) -> list[str]:
    """Return the lines of a table of claims."""
    return [
        "| model | parameters | accuracy / F1 | on | source |",
        "| --- | --- | --- | --- | --- |",
        *(f"| {one.model} | {one.parameters} | {one.figure} | {one.rows} | {one.source} |" for one in claims),
    ]

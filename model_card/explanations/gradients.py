"""What gradients say of the pieces of a text, and where attention looks; from the PyTorch weights.

Integrated gradients: Sundararajan, Taly and Yan 2017, https://arxiv.org/abs/1703.01365. The path leads from a
text of padding to the text itself; what the tokenizer adds to every text is the same in both. captum's
LayerIntegratedGradients gives the same numbers (a test compares them), but it would be a dependency of every
release for the sake of one sum, and it cannot follow T5, whose decoder reads the text a second time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoModelForSequenceClassification

from finsent.encoder.families import OTHER, find_row
from inference.classifier import Classifier
from inference.explain import Span, find_words

TOKENS_AT_ONCE = 4096  # bounds the memory of a long text
STEPS = 16  # of a part of the path
MOST_STEPS = 256  # of a text
TOLERANCE = 0.005  # of a part, in probability
Effects = NDArray[np.float64]


@dataclass(frozen=True)
class Pieces:
    """A text as the model reads it, all `(n,)`.

    `added` marks the pieces that the tokenizer adds, `words` has the number of each piece's word, None for
    pieces in none.
    """

    ids: Tensor
    added: Tensor
    words: list[int | None]
    tokens: list[str]
    n_words: int

    def by_word(self, effects: Effects) -> list[float]:
        """Return the sum over the pieces of each word."""
        found = [0.0] * self.n_words
        for word, effect in zip(self.words, effects.tolist(), strict=True):
            if word is not None:
                found[word] += effect
        return found


def cut_pieces(classifier: Classifier, text: str) -> Pieces:
    """Return the pieces of a text; a piece belongs to the word that its last character is in."""
    spans, _ = find_words(text)
    [found] = classifier.tokenize([text])
    places = zip(found.special_tokens_mask, found.offsets, strict=True)
    return Pieces(
        ids=torch.tensor(found.ids),
        added=torch.tensor(found.special_tokens_mask, dtype=torch.bool),
        words=[None if special else _find_word(spans, span) for special, span in places],
        tokens=list(found.tokens),
        n_words=len(spans),
    )


def _find_word(spans: Sequence[Span], piece: Span) -> int | None:
    word = bisect_left(spans, piece[1], key=lambda span: span[1])
    return word if piece[0] < piece[1] and word < len(spans) else None


@dataclass(frozen=True)
class _Lookup:
    """One lookup of embeddings: those of text and baseline `(n, d)`, and of the points between `(k, n, d)`.

    `shift` is by how many places the pieces stand further to the right than in the text.
    """

    text: Tensor
    baseline: Tensor
    points: Tensor
    shift: int


class Gradients:
    """The weights of a release, asked what each piece of a text does to the probability of a label."""

    def __init__(self, folder: Path) -> None:
        """Load them; eager, because the other kinds of attention return no weights."""
        self._model: Any = AutoModelForSequenceClassification.from_pretrained(
            folder, attn_implementation="eager"
        ).eval()
        self._model.requires_grad_(False)
        self._pad = int(self._model.config.pad_token_id or 0)

    @property
    def size(self) -> int:
        """The parameters that every token is multiplied by: all but the embeddings."""
        embeddings = self._model.get_input_embeddings().weight.numel()
        return int(sum(one.numel() for one in self._model.parameters()) - embeddings)

    def integrate(self, pieces: Pieces, label: int) -> Effects:
        """Return integrated gradients of the pieces `(n,)`.

        What a part of the path adds is known from its ends. Where the gradients do not add up to that, the
        probability jumps between two steps, and the part is halved.
        """
        total = np.zeros(len(pieces.ids))
        parts, left = [(0.0, 0.5), (0.5, 1.0)], MOST_STEPS // STEPS
        while parts:
            start, stop = parts.pop()
            left -= 1
            found = self.integrate_part(pieces, label, start, stop)
            before, after = self.measure_at(pieces, label, start, stop)
            if abs(found.sum() - (after - before)) > TOLERANCE and left >= len(parts) + 2:
                middle = (start + stop) / 2
                parts += [(start, middle), (middle, stop)]
            else:
                total += found
        return total

    def integrate_part(
        self, pieces: Pieces, label: int, start: float, stop: float, steps: int = STEPS
    ) -> Effects:
        """Return what the path adds between two shares of the text, by Gauss-Legendre quadrature."""
        nodes, weights = np.polynomial.legendre.leggauss(steps)
        shares, weights = start + (nodes + 1) / 2 * (stop - start), weights / 2 * (stop - start)
        total = np.zeros(len(pieces.ids))
        at_once = max(1, TOKENS_AT_ONCE // len(pieces.ids))
        for first in range(0, steps, at_once):
            some = slice(first, first + at_once)
            for lookup, slope in self._differentiate(pieces, label, shares[some], weights[some]):
                total += _sum_up(slope * (lookup.text - lookup.baseline), lookup.shift)
        return total

    def multiply(self, pieces: Pieces, label: int) -> Effects:
        """Return gradient × input of the pieces `(n,)`."""
        found = self._differentiate(pieces, label, np.ones(1), np.ones(1))
        return sum((_sum_up(slope * one.text, one.shift) for one, slope in found), np.zeros(len(pieces.ids)))

    def measure_at(self, pieces: Pieces, label: int, *shares: float) -> list[float]:
        """Return the probability of a label at shares of the text: 0 is its baseline, 1 the text itself."""
        with torch.no_grad(), self._blended(pieces, np.array(shares)):
            found: list[float] = self._run(pieces, len(shares))[:, label].tolist()
        return found

    def look(self, pieces: Pieces) -> list[list[float]] | None:
        """Return how much attention each layer gives each piece from the first one, mean over the heads.

        None where the first piece is not what the answer is read from, as far as is known.
        """
        if not self._reads_first_piece():
            return None
        with torch.inference_mode():
            found = self._model(**_as_batch(pieces, 1), output_attentions=True)
        return [layer[0, :, 0].mean(dim=0).tolist() for layer in found.attentions]

    def _reads_first_piece(self) -> bool:
        config = self._model.config
        family = find_row(config)
        pooled = getattr(config, "classifier_pooling", "cls")  # ModernBERT may take the mean
        return family is not OTHER and not family.decodes and pooled == "cls"

    def _differentiate(
        self, pieces: Pieces, label: int, shares: Effects, weights: Effects
    ) -> list[tuple[_Lookup, Tensor]]:
        """Return every lookup and the weighted sum of its gradients `(n, d)` at these shares of the text."""
        with self._blended(pieces, shares) as lookups:
            chance = self._run(pieces, len(shares))[:, label] @ torch.from_numpy(weights).float()
            slopes = torch.autograd.grad(chance, [one.points for one in lookups])
        return [(one, slope.sum(dim=0)) for one, slope in zip(lookups, slopes, strict=True)]

    @contextmanager
    def _blended(self, pieces: Pieces, shares: Effects) -> Iterator[list[_Lookup]]:
        """Let lookups return points between baseline and text while this is open; yield the lookups."""
        lookups: list[_Lookup] = []
        part = torch.from_numpy(shares).float()[:, None, None]

        def blend(layer: Any, given: tuple[Tensor, ...], text: Tensor) -> Tensor:  # noqa: ANN401  (a module)
            ids = given[0][0]
            shift = int(not torch.equal(ids, pieces.ids))  # T5's decoder reads what is one place behind
            added = torch.cat([torch.ones(shift, dtype=torch.bool), pieces.added[: len(ids) - shift]])
            baseline = layer.forward(torch.where(added, ids, self._pad)).detach()
            points: Tensor = baseline + part * (text[0].detach() - baseline)
            points.requires_grad_(torch.is_grad_enabled())
            lookups.append(_Lookup(text[0].detach(), baseline, points, shift))
            return points

        handle = self._model.get_input_embeddings().register_forward_hook(blend)
        try:
            yield lookups
        finally:
            handle.remove()

    def _run(self, pieces: Pieces, copies: int) -> Tensor:
        """Return probabilities `(copies, n_labels)`."""
        chances: Tensor = self._model(**_as_batch(pieces, copies)).logits.softmax(dim=-1)
        return chances


def _as_batch(pieces: Pieces, copies: int) -> dict[str, Tensor]:
    ids = pieces.ids.expand(copies, -1)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def _sum_up(products: Tensor, shift: int) -> Effects:
    """Return the sums over the last dimension of `(n, d)`, where the pieces stand in the text."""
    sums = products.sum(dim=-1).double().numpy()
    return np.concatenate([sums[shift:], np.zeros(shift)])

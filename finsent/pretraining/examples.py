"""What a step learns from: each example depends on the seed and its place alone, so a run can be resumed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from finsent.errors import DataError
from finsent.pretraining.masking import mask_words
from finsent.pretraining.packing import Example, Flags, Ids, Packed, pack
from finsent.pretraining.report import PackingFigures
from finsent.pretraining.spans import SpanPlan, corrupt, draw_gaps, plan_spans
from finsent.pretraining.texts import PretrainingTexts
from finsent.pretraining.tokens import Reader
from finsent.recipe.pretraining import Pretraining

MOST_HELD_OUT = 512  # sequences by which the loss is measured
Make = Callable[[Ids, Flags, np.random.Generator], Example]


class Examples(torch.utils.data.Dataset[Example]):
    """`count` examples: all sequences in an order drawn anew for every pass, in new gaps."""

    def __init__(self, packed: Packed, make: Make, seed: int, count: int) -> None:
        self.packed, self.make, self.seed, self.count = packed, make, seed, count
        self._order = functools.lru_cache(maxsize=2)(self._draw_order)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> Example:
        """Return inputs and labels of the example at a place."""
        passed, at = divmod(place, len(self.packed))
        row = self._order(passed)[at]
        random = np.random.default_rng([self.seed, 1, place])
        return self.make(self.packed.ids[row], self.packed.starts[row], random)

    def _draw_order(self, passed: int) -> np.typing.NDArray[np.int64]:
        return np.random.default_rng([self.seed, 0, passed]).permutation(len(self.packed))


@dataclass(frozen=True)
class Material:
    """The sequences to learn and those to measure the loss on, and how examples are made of either."""

    learnt: Packed
    held_out: Packed
    make: Make
    figures: PackingFigures


def prepare_material(recipe: Pretraining, texts: PretrainingTexts, reader: Reader) -> Material:
    """Pack the texts for the recipe's objective. DataError: they fill no sequence."""
    size, separator, make = plan_examples(recipe, reader)
    learnt, held_out = (pack(reader.read(some), separator, size) for some in (texts.learnt, texts.held_out))
    for name, packed in (("to learn", learnt), ("held out", held_out)):
        if not len(packed):
            raise DataError(
                f"data: the texts {name} do not fill a sequence of {recipe.training.length} tokens; name "
                "more sources, lower training.length or raise data.held_out"
            )
    figures = PackingFigures(
        length=recipe.training.length,
        sequences=len(learnt),
        tokens=learnt.ids.size,
        left_over=learnt.left_over,
        held_out_sequences=min(len(held_out), MOST_HELD_OUT),
        padding_unpacked=learnt.padding_unpacked,
    )
    return Material(learnt, held_out, make, figures)


def plan_examples(recipe: Pretraining, reader: Reader) -> tuple[int, int, Make]:
    """Return the tokens of a sequence, the one that parts texts, and what makes an example of a sequence."""
    training = recipe.training
    if recipe.objective == "mlm":
        frame = reader.frame()
        return (
            training.length - 2,
            frame.last,
            functools.partial(mask_words, frame=frame, noise=training.noise),
        )
    plan = plan_gaps(recipe)
    sentinels, end = reader.sentinels(plan.gaps), reader.id_of("eos_token")
    return plan.raw, end, functools.partial(_cut_gaps, plan=plan, sentinels=sentinels, end=end)


def plan_gaps(recipe: Pretraining) -> SpanPlan:
    """Return how the sequences of a T5's pretraining are cut."""
    training = recipe.training
    return plan_spans(training.length, training.noise, training.mean_span)


def _cut_gaps(
    ids: Ids, _: Flags, random: np.random.Generator, *, plan: SpanPlan, sentinels: Sequence[int], end: int
) -> Example:
    return corrupt(ids, draw_gaps(plan, random), sentinels, end)

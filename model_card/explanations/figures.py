"""What explanations leave in metrics.json; without torch, for those who only read it."""

from __future__ import annotations

from dataclasses import dataclass

from finsent.scoring import Interval

RANDOM = "random order"
LEAVE_ONE_OUT = "leave-one-out"
SHAPLEY = "Shapley values"
GRADIENT = "gradient × input"
INTEGRATED = "integrated gradients"


@dataclass(frozen=True)
class WordEffects:
    """What each word of a text did for `label`, by integrated gradients of the PyTorch weights.

    `effects` has a number for each word. Together they should be `whole`, the probability of the label, less
    `empty`, its probability where every piece is padding; `error` is how far they are from that.
    """

    label: str
    effects: list[float]
    whole: float
    empty: float
    error: float


@dataclass(frozen=True)
class Faithfulness:
    """How well the words that a method ranks first explain the default file's answers, over test rows.

    `comprehensiveness` is by how much the label's probability falls without these words, `sufficiency` by how
    much it falls with nothing but them. The gains are the intervals of how much better than random order
    that is, row by row; None for random order itself.
    """

    method: str
    texts: int
    comprehensiveness: float
    comprehensiveness_interval: Interval
    sufficiency: float
    sufficiency_interval: Interval
    comprehensiveness_gain: Interval | None = None
    sufficiency_gain: Interval | None = None

    @property
    def beats_random(self) -> bool:
        """Whether both gains are more than chance."""
        gains = (self.comprehensiveness_gain, self.sufficiency_gain)
        return all(gain is not None and gain.low > 0 for gain in gains)


@dataclass(frozen=True)
class AttentionView:
    """Where each layer looks from the first token of `text`: `weights[layer][token]`, mean over the heads."""

    text: str
    tokens: list[str]
    weights: list[list[float]]


@dataclass(frozen=True)
class Explanations:
    """Every method on the same rows. `steps` are the most of integrated gradients, `shares` of the words."""

    methods: list[Faithfulness]
    shares: list[float]
    steps: int
    attention: AttentionView | None
    seconds: float

    def find(self, method: str) -> Faithfulness | None:
        """Return the figures of a method, None where it was not measured."""
        return next((one for one in self.methods if one.method == method), None)

    def shows(self, method: str) -> bool:
        """Whether a method was measured and found better than random order."""
        found = self.find(method)
        return found is not None and found.beats_random

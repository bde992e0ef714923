"""Slim attention beside the plain one, on a T5 with random weights: what a decoder keeps, what it answers.

python -m benchmarks.slim_attention     the shape of t5-small, 64 words written after 128 tokens
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import Cache, DynamicCache, EncoderDecoderCache, T5Config, T5ForConditionalGeneration
from transformers.cache_utils import DynamicLayer

from finsent.encoder.slim_attention import decoder_attentions, turn_keys

ROWS, TOKENS = 4, 128


class SlimLayer(DynamicLayer):  # type: ignore[misc]  # transformers' types are incomplete
    """What one attention keeps: keys `(n, heads, tokens, size)`, of which values are made when asked for."""

    keys: Tensor

    def __init__(self, turn: Tensor) -> None:
        self.turn = turn
        super().__init__()

    @property
    def values(self) -> Tensor | None:
        """Values in the shape of the keys."""
        if not self.is_initialized:
            return None
        rows, heads, tokens, size = self.keys.shape
        flat = self.keys.transpose(1, 2).reshape(rows, tokens, heads * size) @ self.turn
        return flat.view(rows, tokens, heads, size).transpose(1, 2)

    @values.setter
    def values(self, _: Tensor | None) -> None:
        """Keep nothing."""

    def update(self, key_states: Tensor, *_: Any) -> tuple[Tensor, Tensor | None]:  # noqa: ANN401
        """Keep new keys; return all keys and values."""
        if not self.is_initialized:
            self.lazy_initialization(key_states)
        self.keys = torch.cat([self.keys, key_states], dim=-2)
        return self.keys, self.values


@dataclass(frozen=True)
class Comparison:
    """Bytes kept, seconds of the processor, the largest |Δlogit|, whether both write the same.

    `value_errors` are relative, by the precision of keys; `conditions` are those of W_K, of the self- and the
    cross-attention of every layer.
    """

    plain_bytes: int
    slim_bytes: int
    plain_seconds: float
    slim_seconds: float
    logit_difference: float
    same_words: bool
    value_errors: dict[str, float]
    conditions: list[float]


def random_t5(**shape: int) -> T5ForConditionalGeneration:
    """Return a T5 of a shape with random weights, t5-small's by default."""
    torch.manual_seed(0)
    return T5ForConditionalGeneration(T5Config(**shape, decoder_start_token_id=0)).eval()


def compare(model: T5ForConditionalGeneration, steps: int) -> Comparison:
    """Write `steps` words greedily with both caches."""
    ids = torch.randint(
        3, model.config.vocab_size, (ROWS, TOKENS), generator=torch.Generator().manual_seed(1)
    )
    caches = {"plain": EncoderDecoderCache(DynamicCache(), DynamicCache()), "slim": slim_cache(model)}
    found, seconds = {}, {}
    write(model, ids, EncoderDecoderCache(DynamicCache(), DynamicCache()), 1)  # warms up
    for name, cache in caches.items():
        started = time.process_time()
        found[name] = write(model, ids, cache, steps)
        seconds[name] = time.process_time() - started
    difference = (found["plain"] - found["slim"]).abs().max()
    attentions = list(decoder_attentions(model))
    return Comparison(
        plain_bytes=kept_bytes(caches["plain"]),
        slim_bytes=kept_bytes(caches["slim"]),
        plain_seconds=seconds["plain"],
        slim_seconds=seconds["slim"],
        logit_difference=float(difference),
        same_words=bool((found["plain"].argmax(-1) == found["slim"].argmax(-1)).all()),
        value_errors={name: max(value_error(one, name) for one in attentions) for name in ROUNDINGS},
        conditions=[float(torch.linalg.cond(one.k.weight.detach().double())) for one in attentions],
    )


def slim_cache(model: T5ForConditionalGeneration) -> EncoderDecoderCache:
    """Return an empty cache that keeps keys alone."""
    layers = [SlimLayer(turn_keys(one)) for one in decoder_attentions(model)]
    return EncoderDecoderCache(Cache(layers=layers[::2]), Cache(layers=layers[1::2]))


@torch.inference_mode()
def write(model: T5ForConditionalGeneration, ids: Tensor, cache: EncoderDecoderCache, steps: int) -> Tensor:
    """Return the logits of every step `(n, steps, pieces)`, each of which takes the largest one's piece."""
    encoded, last = model.encoder(ids), torch.zeros((len(ids), 1), dtype=torch.long)
    found = []
    for _ in range(steps):
        step = model(encoder_outputs=encoded, decoder_input_ids=last, past_key_values=cache, use_cache=True)
        found.append(step.logits)
        last = step.logits.argmax(-1)
    return torch.cat(found, dim=1)


def kept_bytes(cache: EncoderDecoderCache) -> int:
    """Return the bytes of all that a cache keeps."""
    layers = [*cache.self_attention_cache.layers, *cache.cross_attention_cache.layers]
    kept = [one.keys for one in layers]
    kept += [one.values for one in layers if not isinstance(one, SlimLayer)]
    return sum(one.nbytes for one in kept)


def _to_int8(keys: Tensor) -> Tensor:
    scale = keys.abs().max() / 127
    return (keys / scale).round() * scale


ROUNDINGS = {"fp32": lambda keys: keys, "bf16": lambda keys: keys.bfloat16().float(), "int8": _to_int8}


@torch.inference_mode()
def value_error(attention: Any, precision: str) -> float:  # noqa: ANN401  (T5Attention)
    """Return how far values made from rounded keys are from those of the model, relative to these."""
    states = torch.randn((512, attention.d_model), generator=torch.Generator().manual_seed(2))
    exact = attention.v(states)
    made = ROUNDINGS[precision](attention.k(states)) @ turn_keys(attention)
    return float((made - exact).norm() / exact.norm())


def main() -> None:
    """Print what is found on the shape of t5-small."""
    found = compare(random_t5(), steps=64)
    for name, value in vars(found).items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()

"""Linear layers held in 4 bits while adapters beside them learn: NF4 with double quantization, as in QLoRA.

Pruning comes before this, so the layers are exchanged one by one, where transformers would have quantized a
checkpoint as it loads it (https://arxiv.org/abs/2305.14314).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bitsandbytes
import torch
from torch import nn
from transformers import PreTrainedModel

from finsent.errors import BaseModelError

KIND = "nf4"
BLOCK = 64  # weights of a row that share a scale


def quantize_layers(model: PreTrainedModel, layers: Mapping[str, nn.Linear], base: str) -> None:
    """Hold these linear layers in 4 bits, but for those that have to stay in full precision.

    Such are T5's `wo`, to whose type T5 converts its states, and layers that do not take in whole blocks:
    bitsandbytes 0.50.2 unpacks some of them wrongly on a CPU. BaseModelError if no layer is left.
    """
    kept = set(model._keep_in_fp32_modules or ())
    held = [
        name
        for name, layer in layers.items()
        if layer.in_features % BLOCK == 0 and not kept & set(name.split("."))
    ]
    if not held:
        raise BaseModelError(
            f"adapter.kind: got qlora, but no linear layer of {base} has a multiple of {BLOCK} inputs, "
            "so none can be stored in 4 bits; write lora"
        )
    for name in held:
        model.set_submodule(name, _quantize(layers[name]))


def _quantize(linear: nn.Linear) -> nn.Module:
    packed = bitsandbytes.nn.Linear4bit(
        linear.in_features, linear.out_features, bias=False, compress_statistics=True, quant_type=KIND
    )
    packed.weight = bitsandbytes.nn.Params4bit(
        linear.weight.data, requires_grad=False, compress_statistics=True, quant_type=KIND
    )
    packed.bias = linear.bias
    # or validations would be computed in bf16, on other weights than the steps, where a CPU can do that
    packed.support_avx512bf16_for_cpu = False
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return packed.to(device)  # type: ignore[no-any-return]  # quantizes; bitsandbytes has no types


def dequantize_layers(model: PreTrainedModel) -> None:
    """Put plain layers back, with the weights that the 4 bits stand for."""
    packed = [
        (name, one) for name, one in model.named_modules() if isinstance(one, bitsandbytes.nn.Linear4bit)
    ]
    for name, layer in packed:
        model.set_submodule(name, _dequantize(layer))


def _dequantize(packed: Any) -> nn.Linear:  # noqa: ANN401  (Linear4bit)
    weight = bitsandbytes.functional.dequantize_4bit(packed.weight.data, packed.weight.quant_state)
    linear = nn.Linear(packed.in_features, packed.out_features, bias=False, device="meta")
    linear.weight = nn.Parameter(weight.float())
    if packed.bias is not None:  # in bf16 where it was trained in that
        linear.bias = nn.Parameter(packed.bias.detach().float())
    return linear

"""Linear layers held in 4 bits while adapters beside them learn: NF4 with double quantization, as in QLoRA.

Pruning comes before this, so the layers are exchanged one by one, where transformers would have quantized a
checkpoint as it loads it (https://arxiv.org/abs/2305.14314).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bitsandbytes
import torch
from torch import nn
from transformers import PreTrainedModel

KIND = "nf4"


def quantize_layers(model: PreTrainedModel, names: Iterable[str]) -> None:
    """Hold these linear layers in 4 bits, but for those that the model needs in full precision."""
    kept = set(model._keep_in_fp32_modules or ())  # T5 converts its states to the type of these weights
    for name in names:
        if not kept & set(name.split(".")):
            model.set_submodule(name, _quantize(model.get_submodule(name)))
    model.is_loaded_in_4bit = True  # peft looks for it


def _quantize(linear: Any) -> nn.Module:  # noqa: ANN401  (nn.Linear)
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
    del model.is_loaded_in_4bit


def _dequantize(packed: Any) -> nn.Linear:  # noqa: ANN401  (Linear4bit)
    weight = bitsandbytes.functional.dequantize_4bit(packed.weight.data, packed.weight.quant_state)
    linear = nn.Linear(packed.in_features, packed.out_features, bias=False, device="meta")
    linear.weight = nn.Parameter(weight.float())
    if packed.bias is not None:  # in bf16 where it was trained in that
        linear.bias = nn.Parameter(packed.bias.detach().float())
    return linear

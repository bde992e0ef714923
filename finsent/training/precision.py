"""Which precision this machine computes in."""

from __future__ import annotations

import torch


def use_bf16(wish: str) -> bool:
    """Return whether to run in bf16 autocast; `auto` asks the accelerator or CPU for its instructions."""
    if wish != "auto":
        return wish == "on"
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))

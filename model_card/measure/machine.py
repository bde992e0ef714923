"""What figures were measured on: processor, memory, system, versions."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil

from model_card.measure.metrics_file import Machine

PACKAGES = ("torch", "transformers", "tokenizers", "optimum-onnx", "onnxruntime", "numpy", "huggingface_hub")
# Those that decide which kernels run, and with it speed and the last bits of int8.
CPU_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_int8", "asimddp", "i8mm")


def describe_machine() -> Machine:
    """Return what the figures were measured on."""
    processor, flags = _read_cpu()
    return Machine(
        processor=processor or platform.processor() or platform.machine(),
        cores=os.cpu_count() or 1,
        flags=[flag for flag in CPU_FLAGS if flag in flags],
        memory_bytes=psutil.virtual_memory().total,
        system=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        versions={name: version(name) for name in PACKAGES},
    )


def _read_cpu() -> tuple[str, set[str]]:
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return "", set()
    pairs = [line.partition(":") for line in path.read_text(encoding="utf-8").splitlines()]
    fields = {key.strip(): value.strip() for key, _, value in pairs}
    return fields.get("model name", ""), set(fields.get("flags", fields.get("Features", "")).split())

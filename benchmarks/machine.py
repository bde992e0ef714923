"""The last lines of a page of figures: when, of which file, on what."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from finsent.onnx_files import QUANTIZED
from model_card.measure.machine import describe_machine


def tell_run(releases: list[Path]) -> list[str]:
    """Return Markdown list items: date, sha256 of each release's quantized file, machine and versions."""
    files = [(release.parent.name, release / QUANTIZED.path) for release in releases]
    digests = [f"{name} {hashlib.sha256(file.read_bytes()).hexdigest()[:16]}" for name, file in files]
    return [
        f"- Measured on {datetime.now(UTC):%Y-%m-%d}. `{QUANTIZED.path}` by sha256: {', '.join(digests)}.",
        *tell_machine(),
    ]


def tell_machine() -> list[str]:
    """Return Markdown list items: machine and versions."""
    machine = describe_machine()
    return [
        f"- {machine.processor}, {machine.cores} cores, {', '.join(machine.flags)}; {machine.system}.",
        f"- Versions: {', '.join(f'{name} {number}' for name, number in machine.versions.items())}.",
    ]

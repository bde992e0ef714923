"""The rule that a card names no runtime that cannot load the release: no tag, and no code for it."""

from __future__ import annotations

from collections.abc import Iterator

from finsent.onnx_files import TRANSFORMERS_JS
from model_card.card.document import Document, code_blocks
from model_card.lint.metadata import read_metadata
from model_card.lint.problem import Problem
from model_card.measure.metrics_file import Metrics

PACKAGES = {TRANSFORMERS_JS: ("@huggingface/transformers", "@xenova/transformers")}


def lint_runtimes(document: Document, metrics: Metrics | None) -> Iterator[Problem]:
    """Yield tags and code of the runtimes that metrics.json says do not load this architecture."""
    for runtime in metrics.not_loaded_by if metrics is not None else ():
        if runtime in (read_metadata(document).get("tags") or ()):
            message = f"tags: {runtime} does not load this architecture; take the tag out"
            yield Problem(document.front_line, "runtime", message)
        for block in code_blocks(document.body):
            if any(package in block.code for package in PACKAGES.get(runtime, ())):
                message = f"{runtime} does not load this architecture; take the code out"
                yield Problem(block.line, "runtime", message)

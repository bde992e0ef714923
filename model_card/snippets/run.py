"""The code blocks of a card, executed against the files that it describes.

Only blocks that finsent rendered are run, unless every one is asked for: a card may be somebody else's.
Every block gets a fresh process in a folder where the Hub id of the model leads to RUN/release, offline, in
an environment made from nothing. Blocks that need a Hub run only when one is named, and a token is given only
to those of them that finsent rendered. A ```text block behind a block is the output that it
promises: words must be equal, numbers may differ by 0.02, which is what quantized scores differ between
processors.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from finsent.errors import ReleaseError
from finsent.processes import run_alone
from finsent.recipe.file import read_released_recipe
from finsent.release import CARD, RECIPE, Run
from model_card.card.document import CodeBlock, code_blocks, split_card
from model_card.lint.body import syntax_error
from model_card.snippets.place import Workplace, prepare
from model_card.snippets.rendered import key_of, rendered_blocks

TIMEOUT = 300  # seconds a block
TOLERANCE = 0.02
ROUTER = "https://router.huggingface.co"
SHELLS = ("bash", "sh", "shell")
SCRIPTS = ("javascript", "js")
NEEDS_HUB = re.compile(r"\bInferenceClient\b|\bcurl\b")
FOREIGN = "not written by finsent; --all runs every block"
RUNNABLE = re.compile(r"sha256sum\b")  # other shell commands would train, install or upload

# Runs a block with HF_ENDPOINT in the place of the inference router; the client has no setting for that.
_WITH_ROUTER = """\
import runpy, sys
from huggingface_hub import constants
constants.INFERENCE_PROXY_TEMPLATE = sys.argv[2] + "/{provider}"
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@dataclass(frozen=True)
class BlockResult:
    """What became of a block; `detail` is its output, the error, or why it was not run."""

    block: CodeBlock
    state: Literal["ok", "failed", "not run"]
    detail: str


def run_snippets(
    run: Path,
    modules: Path | None = None,
    endpoint: str | None = None,
    languages: set[str] | None = None,
    every: bool = False,
    token: str | None = None,
) -> Iterator[BlockResult]:
    """Execute the blocks of RUN/release/README.md, one after the other, and yield what became of each.

    `modules` is a node_modules folder with @huggingface/transformers, `endpoint` a Hub that holds the model;
    `languages` leaves out blocks in others. With `every`, blocks run that finsent did not render, never with
    the `token`. ReleaseError if there is no card.
    """
    release = Run(run).release.resolve()
    if not (release / CARD).is_file():
        raise ReleaseError(f"{release}: has no {CARD}; run train.py or python -m model_card.card")
    blocks = code_blocks(split_card((release / CARD).read_text(encoding="utf-8")).body)
    model = read_released_recipe(release / RECIPE).hub.model
    rendered = rendered_blocks(release) if token or not every else frozenset()
    with tempfile.TemporaryDirectory(prefix="finsent-snippets-") as temporary:
        place = prepare(Workplace(Path(temporary), model, release, modules, endpoint))
        for block, promised in _pairs(blocks):
            if languages is not None and block.language not in languages:
                continue
            ours = key_of(block) in rendered
            if ours or every:
                yield _run_block(block, promised, place, token if ours else None)
            else:
                yield BlockResult(block, "not run", FOREIGN)


def _pairs(blocks: list[CodeBlock]) -> Iterator[tuple[CodeBlock, str | None]]:
    """Yield each block but the ```text ones, which belong to the block before them."""
    for index, block in enumerate(blocks):
        if block.language == "text":
            continue
        after = blocks[index + 1] if index + 1 < len(blocks) else None
        yield block, after.code if after is not None and after.language == "text" else None


def _run_block(block: CodeBlock, promised: str | None, place: Workplace, token: str | None) -> BlockResult:
    if (error := syntax_error(block)) is not None:
        return BlockResult(block, "failed", f"line {error[0]}: {error[1]}")
    if block.language in SHELLS and (message := _shell_error(block, place)):
        return BlockResult(block, "failed", message)
    command, reason = _command(block, place)
    if command is None:
        return BlockResult(block, "ok" if not reason else "not run", reason or "parsed")
    needs_hub = NEEDS_HUB.search(block.code) is not None
    folder = place.release if block.language in SHELLS else place.folder
    environment = place.environment(offline=not needs_hub, token=token if needs_hub else None)
    try:
        done = run_alone(command, folder, environment, TIMEOUT)
    except subprocess.TimeoutExpired:
        return BlockResult(block, "failed", f"still running after {TIMEOUT} s")
    return _judge(block, done, promised)


def _command(block: CodeBlock, place: Workplace) -> tuple[list[str] | None, str]:
    """Return the command that runs a block, or None and why not; without a reason, parsing was all."""
    if NEEDS_HUB.search(block.code) and place.endpoint is None:
        return None, "needs a Hub: set HF_ENDPOINT"
    if block.language in ("python", "py"):
        return _python_command(block, place), ""
    if block.language in SCRIPTS:
        return _node_command(block, place)
    if block.language in SHELLS:
        if RUNNABLE.match(block.code) or NEEDS_HUB.search(block.code):
            code = block.code.replace(ROUTER, place.endpoint or ROUTER)
            return ["bash", "-euo", "pipefail", "-c", code], ""
        return None, "only parsed, because it trains, installs or uploads"
    if block.language in ("json", "yaml", "yml"):
        return None, ""
    return None, f"no program for {block.language or 'a block without a language'}"


def _python_command(block: CodeBlock, place: Workplace) -> list[str]:
    path = place.folder / f"block_{block.line}.py"
    path.write_text(block.code, encoding="utf-8")
    if place.endpoint is None or not NEEDS_HUB.search(block.code):
        return [sys.executable, str(path)]
    return [sys.executable, "-c", _WITH_ROUTER, str(path), place.endpoint]


def _node_command(block: CodeBlock, place: Workplace) -> tuple[list[str] | None, str]:
    node = shutil.which("node")
    if node is None:
        return None, "no node on this machine"
    if not (place.folder / "node_modules" / "@huggingface" / "transformers").is_dir():
        return None, "no @huggingface/transformers: set NODE_PATH to its node_modules"
    # The settings belong to the module, of which one process has one: this file is imported first.
    (place.folder / "local.mjs").write_text(
        'import { env } from "@huggingface/transformers";\n'
        "env.allowRemoteModels = false;\n"
        'env.localModelPath = "./";\n',
        encoding="utf-8",
    )
    path = place.folder / f"block_{block.line}.mjs"
    path.write_text(f'import "./local.mjs";\n{block.code}', encoding="utf-8")
    return [node, str(path)], ""


def _shell_error(block: CodeBlock, place: Workplace) -> str:
    command = ["bash", "-n", "-c", block.code]
    checked = run_alone(command, place.folder, place.environment(offline=True), TIMEOUT)
    return checked.stderr.strip() if checked.returncode or checked.stderr.strip() else ""


def _judge(block: CodeBlock, done: subprocess.CompletedProcess[str], promised: str | None) -> BlockResult:
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or lines or ["no message"]
        return BlockResult(block, "failed", f"exit {done.returncode}: {said[-1]}")
    if not lines:
        return BlockResult(block, "failed", "it printed nothing")
    if promised is not None and not same_output(promised, done.stdout):
        return BlockResult(block, "failed", f"printed {' / '.join(lines)}, promised {promised.strip()!r}")
    return BlockResult(block, "ok", " ".join(" ".join(lines).split()))


def same_output(promised: str, printed: str) -> bool:
    """Tell whether two outputs have the same words and, within TOLERANCE, the same numbers."""
    pairs = (promised.split(), printed.split())
    return len(pairs[0]) == len(pairs[1]) and all(
        _same_word(one, other) for one, other in zip(*pairs, strict=True)
    )


def _same_word(one: str, other: str) -> bool:
    try:
        return abs(float(one) - float(other)) <= TOLERANCE
    except ValueError:
        return one == other

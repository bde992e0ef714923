"""Runs the code blocks of a card and prints what became of each as JSON, for a process of its own.

`python -m publishing.proof.run_snippets RUN JOB [ENDPOINT]`, with the token in the environment, never as an
argument. JOB is `rendered` or `all`. ENDPOINT is a Hub that serves the model; blocks that ask one run only
then.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from finsent.cli import take_termination_as_interrupt
from model_card.snippets.run import run_snippets


def main() -> None:
    """Execute RUN/release/README.md block by block."""
    take_termination_as_interrupt()  # and the block that runs then ends, too
    run, job, *endpoint = sys.argv[1:]
    modules, token = os.environ.get("NODE_PATH"), os.environ.get("HF_TOKEN")
    outcomes = run_snippets(
        Path(run), Path(modules) if modules else None, endpoint[0] if endpoint else None,
        every=job == "all", token=token,
    )  # fmt: skip
    told = [
        {"line": one.block.line, "language": one.block.language, "state": one.state, "detail": one.detail}
        for one in outcomes
    ]
    print(json.dumps(told))


if __name__ == "__main__":
    main()

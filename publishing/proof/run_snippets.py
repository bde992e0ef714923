"""Runs the code blocks of a card and prints what became of each as JSON, for a process of its own.

`python -m publishing.proof.run_snippets RUN`, with HF_ENDPOINT and HF_TOKEN in the environment, never as
arguments.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from model_card.snippets.run import run_snippets


def main() -> None:
    """Execute RUN/release/README.md block by block."""
    modules = os.environ.get("NODE_PATH")
    outcomes = run_snippets(
        Path(sys.argv[1]), Path(modules) if modules else None, os.environ.get("FINSENT_INFERENCE")
    )
    print(
        json.dumps(
            [
                {
                    "line": outcome.block.line,
                    "language": outcome.block.language,
                    "state": outcome.state,
                    "detail": outcome.detail,
                }
                for outcome in outcomes
            ]
        )
    )


if __name__ == "__main__":
    main()

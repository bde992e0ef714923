"""Runs the code blocks of a card and prints what became of each as JSON, for a process of its own.

`python -m publishing.proof.run_snippets RUN [ENDPOINT]`, with the token in the environment, never as an
argument. ENDPOINT is a Hub that serves the model; blocks that ask one run only then.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from model_card.snippets.run import run_snippets


def main() -> None:
    """Execute RUN/release/README.md block by block."""
    run, endpoint = Path(sys.argv[1]), (sys.argv[2] if len(sys.argv) > 2 else None)
    modules = os.environ.get("NODE_PATH")
    outcomes = run_snippets(run, Path(modules) if modules else None, endpoint)
    told = [
        {"line": one.block.line, "language": one.block.language, "state": one.state, "detail": one.detail}
        for one in outcomes
    ]
    print(json.dumps(told))


if __name__ == "__main__":
    main()

"""Asks a release's handler.py as the toolkit of Inference Endpoints does.

`python -P -B ask_handler.py FOLDER BODIES.json` is a process of its own.
It is started by its path, without this repository on the path of imports, so that the handler finds the code
that lies beside it, or none. The answers are printed as one line of JSON.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

MODULE = "handler.EndpointHandler"  # what the toolkit calls the module


def load_handler(folder: str) -> Any:  # noqa: ANN401  (whatever handler.py makes)
    """Import handler.py of a folder by its path and make its EndpointHandler."""
    spec = importlib.util.spec_from_file_location(MODULE, Path(folder, "handler.py"))
    assert spec and spec.loader
    sys.path.insert(0, folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    spec.loader.exec_module(module)
    return module.EndpointHandler(folder)


def main() -> None:
    """Call the handler with each body and print what it answers."""
    folder, bodies = sys.argv[1:]
    handler = load_handler(folder)
    answers = [handler(body) for body in json.loads(Path(bodies).read_text(encoding="utf-8"))]
    print("\n" + json.dumps(answers))


if __name__ == "__main__":
    main()

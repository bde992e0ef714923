"""The published client as a process of its own: for what it remembers, and for Xet, chosen at its start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from local_hub import RunningHub

CLIENT = """
import sys
from pathlib import Path
from huggingface_hub import HfApi
api = HfApi(token=sys.argv[1])
verb, repo_id, name = sys.argv[2:5]
if verb == "upload":
    pr = name.startswith("pr-")
    api.upload_file(path_or_fileobj=name, path_in_repo=name, repo_id=repo_id, create_pr=pr)
else:
    sys.stdout.buffer.write(Path(api.hf_hub_download(repo_id, name)).read_bytes())
"""


def client(hub: RunningHub, home: Path, token: str, *words: str) -> bytes:
    """A fresh huggingface_hub with Xet, in a home of its own."""
    home.mkdir(exist_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment = {**clean, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, token, *words], cwd=home, env=environment, capture_output=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout

"""The stages up to fitted weights (recipe, data, encoder, training), and what all stages share.

Shared are scoring, release (a folder and its file names), licences, text, mirror and errors.
"""

import os
from pathlib import Path

# onnxruntime tells its makers of every session, unless this is set before it is loaded
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.2.0"  # of the project; a release has that of its recipe

REPOSITORY = Path(__file__).resolve().parent.parent

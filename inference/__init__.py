"""Text in, probabilities out: numpy, onnxruntime and tokenizers. Measured, shown and served."""

import os

# onnxruntime tells its makers of every session, unless this is set before it is loaded
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

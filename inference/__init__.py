"""Text in, probabilities out: numpy, onnxruntime and tokenizers. Measured, shown and served."""

"""PyTorch to ONNX to quantized ONNX, and the gate that a file passes before it is released."""

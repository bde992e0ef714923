"""PyTorch to the ONNX files of a release, and the gate that a file passes before it is released."""

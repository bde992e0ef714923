"""Rewriting an ONNX graph so that it does less work for the same answer."""

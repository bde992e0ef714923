"""The ONNX files that a release may hold, a row each; export/files.py has the maker of each row.

Recipe, measuring, card, manifest, Space and benchmarks take from the row what they need, so none of them
names a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class OnnxFile:
    """A variant: one file of weights, made from fp32, which is made from PyTorch.

    `name` stands in recipes and metrics.json, `path` in the repository, ending as transformers.js wants it
    for its `dtype`. `precision` is how numbers are kept, `use` what the card recommends the file for.
    """

    name: str
    path: str
    dtype: str
    precision: str
    use: str

    @property
    def use_on_servers(self) -> str:
        """What the card recommends the file for where no browser loads the architecture."""
        return self.use.replace(" and browser", "").replace(" and WebGPU", "")

    @property
    def file_name(self) -> str:
        """The name below the folder of ONNX files, which ORTModel takes."""
        return self.path.removeprefix(f"{FOLDER}/")


TRANSFORMERS_JS = "transformers.js"  # the runtime in browsers, which does not know every architecture
FOLDER = "onnx"  # transformers.js and optimum look here
FP32 = OnnxFile("fp32", "onnx/model.onnx", "fp32", "fp32", "Optimum, plain ONNX Runtime")
FP16 = OnnxFile("fp16", "onnx/model_fp16.onnx", "fp16", "fp16", "GPU and WebGPU, half the size of fp32")
QUANTIZED = OnnxFile("quantized", "onnx/model_quantized.onnx", "q8", "int8 (static QDQ)", "CPU and browser")
Q4 = OnnxFile("q4", "onnx/model_q4.onnx", "q4", "int4 weights", "smallest download, CPU and WebGPU")
ONNX_FILES = {row.name: row for row in (FP32, FP16, QUANTIZED, Q4)}
DEFAULTS = (QUANTIZED.name, FP32.name)  # what a reader gets who asks for no file: the first that was released


def choose_default(released: Iterable[str]) -> str:
    """Return the name of the file that figures, card and demo are about; `released` always holds fp32."""
    names = set(released)
    return next(name for name in DEFAULTS if name in names)

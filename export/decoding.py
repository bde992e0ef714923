"""T5 as a classifier, for optimum: the one task of it that optimum exports by itself for other families.

https://huggingface.co/docs/optimum-onnx/onnx/usage_guides/contribute
"""

from __future__ import annotations

from typing import Any

from optimum.exporters.onnx.config import TextEncoderOnnxConfig
from optimum.exporters.tasks import TasksManager
from optimum.utils import DummyTextInputGenerator, NormalizedTextConfig


class _Texts(DummyTextInputGenerator):  # type: ignore[misc]  # optimum ships no types
    """Rows with one end token each, at their end; two of them in a row would not be classified."""

    def generate(self, input_name: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        made = super().generate(input_name, *arguments, **options)
        if input_name == "input_ids":
            end = self.normalized_config.eos_token_id
            made[made == end] = end + 1
            made[:, -1] = end
        elif input_name == "attention_mask":
            made[:] = 1
        return made


@TasksManager.create_register("onnx")("t5", "text-classification")
class T5ClassificationOnnxConfig(TextEncoderOnnxConfig):  # type: ignore[misc]
    """Encoder and decoder as one graph: tokens in, logits out."""

    NORMALIZED_CONFIG_CLASS = NormalizedTextConfig.with_args(
        hidden_size="d_model", num_attention_heads="num_heads", allow_new=True
    )
    DUMMY_INPUT_GENERATOR_CLASSES = (_Texts,)

    @property
    def inputs(self) -> dict[str, dict[int, str]]:
        """The axes that a caller chooses, of both inputs."""
        axes = {0: "batch_size", 1: "sequence_length"}
        return {"input_ids": axes, "attention_mask": axes}

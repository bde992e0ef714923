"""An encoder made ready for training: its weights with a fresh head, and the tokenizer for them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from finsent.encoder.positions import count_positions
from finsent.encoder.text_to_text import TextToText
from finsent.release import TOKENIZER, WEIGHTS


@dataclass(frozen=True)
class BaseModel:
    """A classifier with a fresh head, and the tokenizer.json that belongs to it.

    `special_tokens` are those of the tokenizer by their role in transformers, such as `pad_token`.
    """

    model: PreTrainedModel
    tokenizer_json: str
    input_names: list[str]
    special_tokens: dict[str, str]

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """Return a new tokenizer, as transformers will load it from the release.

        Its class is the plain one on purpose: with BertTokenizer, transformers 5 rebuilds it without the
        normalizer.
        """
        return PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer.from_str(self.tokenizer_json),
            model_max_length=count_positions(self.model),
            model_input_names=self.input_names,
            **self.special_tokens,
        )

    def save(self, folder: Path) -> None:
        """Write weights, config and tokenizer so that every runtime reads them alike.

        tokenizer.json is written from the prepared text, not by the tokenizer: training leaves truncation in
        that one.
        """
        model = self.model.as_plain() if isinstance(self.model, TextToText) else self.model
        model.save_pretrained(folder)
        self.tokenizer().save_pretrained(folder)
        tree = json.dumps(json.loads(self.tokenizer_json), ensure_ascii=False, indent=1)
        (folder / TOKENIZER).write_text(tree, encoding="utf-8")
        (folder / WEIGHTS).chmod(0o644)  # safetensors writes for its owner alone

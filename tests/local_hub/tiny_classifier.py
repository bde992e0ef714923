"""A classifier of a few thousand weights, made in code: enough for every client to load and run."""

from __future__ import annotations

import warnings
from pathlib import Path

LABELS = ("negative", "neutral", "positive")


def write_tiny_classifier(folder: Path) -> None:
    """Write a random two-layer BERT with its tokenizer, as transformers saves them."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "profit",
        "loss",
        "rises",
        "falls",
        "the",
        "company",
    ]
    vocabulary = {word: number for number, word in enumerate(words)}
    raw = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    raw.normalizer = normalizers.BertNormalizer()
    raw.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    raw.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    special = dict.fromkeys(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"))
    named = dict(zip(special, words, strict=False))
    PreTrainedTokenizerFast(tokenizer_object=raw, model_max_length=64, **named).save_pretrained(folder)
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        id2label=dict(enumerate(LABELS)),
        label2id={label: number for number, label in enumerate(LABELS)},
        problem_type="single_label_classification",
    )
    BertForSequenceClassification(config).eval().save_pretrained(folder)


def card(examples: tuple[str, ...] = ("profit rises", "loss falls")) -> str:
    """A model card with its widget's examples."""
    lines = "".join(f"- text: {text}\n" for text in examples)
    return (
        "---\nlicense: apache-2.0\nlanguage: en\nlibrary_name: transformers\n"
        f"pipeline_tag: text-classification\ntags:\n- finance\nwidget:\n{lines}---\n\n"
        "# Tiny classifier\n\nReads a headline. | is not a table.\n\n"
        "| file | bytes |\n|---|---:|\n| model.safetensors | 12 |\n\n```python\nprint('hello')\n```\n"
    )


def write_onnx(folder: Path) -> None:
    """Export the classifier in the folder to onnx/model.onnx."""
    import torch
    from transformers import BertForSequenceClassification

    model = BertForSequenceClassification.from_pretrained(folder, attn_implementation="eager")
    names = ["input_ids", "attention_mask", "token_type_ids"]
    example = tuple(torch.ones(1, 4, dtype=torch.int64) for _ in names)
    (folder / "onnx").mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that needs no further package calls itself old
        torch.onnx.export(
            model,
            example,
            str(folder / "onnx" / "model.onnx"),
            input_names=names,
            output_names=["logits"],
            dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names},
            dynamo=False,
        )

"""A real release of a tiny random model: two layers of 32, a WordPiece of a few hundred pieces."""

from __future__ import annotations

import hashlib
import string
import warnings
from pathlib import Path

import torch
import yaml
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification

from finsent import release
from finsent.encoder.base_model import BaseModel
from finsent.encoder.text_rules import build_normalizer
from finsent.endpoint import write_endpoint_files
from finsent.onnx_files import FP32, QUANTIZED
from finsent.recipe.recipe import Recipe
from inference.classifier import Classifier
from model_card.card.build import build_card
from model_card.card.figures import draw_figures
from model_card.measure.metrics_file import Metrics, write_metrics
from tests.model_card.samples import LABELS, make_metrics, make_recipe

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def make_release(run: Path) -> Path:
    """Fill run/release with files that load everywhere, true figures of bytes and examples, and the card."""
    folder = run / "release"
    (folder / "onnx").mkdir(parents=True)
    recipe = make_recipe()
    base = _make_base(recipe)
    base.save(folder)
    for file in (FP32, QUANTIZED):
        _export(base, folder / file.path)
    write_endpoint_files(folder)
    metrics = _describe(folder)
    write_metrics(metrics, folder / release.METRICS)
    tree = recipe.model_dump(mode="json")
    (folder / release.RECIPE).write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    draw_figures(metrics, folder)
    (folder / release.CARD).write_text(build_card(recipe, metrics), encoding="utf-8")
    return folder


def _make_base(recipe: Recipe) -> BaseModel:
    letters = [*string.ascii_lowercase, *string.digits, *string.punctuation]
    pieces = [*SPECIALS, *letters, *(f"##{letter}" for letter in letters), "profit", "loss", "rose", "cuts"]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = build_normalizer(recipe.text)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.add_special_tokens(SPECIALS)
    torch.manual_seed(5)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        initializer_range=0.5,  # wide, so that scores differ between texts
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
        problem_type="single_label_classification",
    )
    model = BertForSequenceClassification(config).eval()
    roles = {f"{one.strip('[]').lower()}_token": one for one in SPECIALS}
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    return BaseModel(model, tokenizer.to_str(), inputs, roles)


def _export(base: BaseModel, path: Path) -> None:
    """Write the graph. Both files hold fp32: what is tested here is that they are found and described."""
    names = ["input_ids", "attention_mask", "token_type_ids"]
    sample = torch.ones((1, 4), dtype=torch.int64)
    axes = {name: {0: "batch", 1: "tokens"} for name in names} | {"logits": {0: "batch"}}
    base.model.config.return_dict = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces the end of this exporter, which writes one file
        torch.onnx.export(
            base.model,
            (sample, sample, sample),
            str(path),
            input_names=names,
            output_names=["logits"],
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
    base.model.config.return_dict = True


def _describe(folder: Path) -> Metrics:
    sample = make_metrics()
    classifier = Classifier(folder)
    examples = [one.model_copy(update={"scores": classifier(one.text).scores}) for one in sample.examples]
    variants = []
    for variant in sample.variants:
        content = (folder / variant.file).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        variants.append(variant.model_copy(update={"bytes": len(content), "sha256": digest}))
    changes = {"examples": examples, "variants": variants, "parameters": 20_000, "vocabulary": 140}
    return sample.model_copy(update=changes)

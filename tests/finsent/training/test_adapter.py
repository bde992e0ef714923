from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification

from benchmarks.environments import packages_on_top
from finsent.data.splits import load_splits
from finsent.encoder.base_model import BaseModel
from finsent.encoder.load import load_base
from finsent.errors import BaseModelError
from finsent.recipe.adapter import Adapter
from finsent.recipe.recipe import Recipe
from finsent.release import WEIGHTS, sha256
from finsent.training.adapter import AttachedAdapter, attach_adapter, choose_layers
from finsent.training.estimate import estimate_training
from finsent.training.fit import fit
from tests import tiny, tiny_encoders
from tests.finsent.encoder.samples import TEXTS, change, logits

METHODS, QLORA = (tiny.ROOT / f"requirements-{name}.txt" for name in ("methods", "qlora"))
SHOWN = ["minilm", "mpnet", "t5", "t5 text to text"]
BLOCKS = {"hidden_size": 64, "intermediate_size": 128}  # can be held in 4 bits, as 32 cannot
SHAPES = {
    "minilm": {"hidden_size": 384, "num_attention_heads": 12, "intermediate_size": 1536},  # of two layers
    "mpnet": BLOCKS,
    "t5": {"d_model": 64, "d_kv": 32, "d_ff": 128},
}


@pytest.fixture(scope="module")
def peft() -> Iterator[None]:
    """The optional packages, behind all others on the path of this process."""
    folder = str(packages_on_top(QLORA))
    sys.path.append(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import bitsandbytes
        import peft

    assert all(module.__file__.startswith(folder) for module in (bitsandbytes, peft))
    yield
    sys.path.remove(folder)


def load(kind: str, recipe: Recipe, folder: Path, **base: object) -> BaseModel:
    """Load a small encoder of a family; a T5 also in the form that answers by words."""
    shape = SHAPES.get(kind.partition(" ")[0], {})
    family = kind.partition(" ")[0].replace("minilm", "bert")
    if family == "t5":
        encoder = tiny_encoders.save_t5(folder / family, **shape)
    else:
        encoder = tiny_encoders.save_encoder(folder / family, family, **shape)
    lower = tiny_encoders.KINDS[family].tokenizer == "wordpiece"
    text = recipe.text.model_copy(update={"lowercase": lower, "max_characters": 25})
    words = tiny_encoders.WORDS if kind.endswith("text") else None
    tree = recipe.model_dump() | {"text": text.model_dump()}
    tree["base"] |= {"path": str(encoder), "text_to_text": words, **base}
    return load_base(Recipe.model_validate(tree), TEXTS)


def disturb(attached: AttachedAdapter) -> None:
    """Give the adapter weights as if it had learnt much."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weights in attached.model.named_parameters():
            if scale := 0.05 if "lora_" in name else 0.5 if "ia3_" in name else 0.0:
                weights.add_(torch.randn(weights.shape, generator=generator) * scale)


@pytest.mark.parametrize("kind", SHOWN)
def test_an_adapter_goes_to_the_linear_layers_of_the_encoder(
    kind: str, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    model = load(kind, tiny_recipe, tmp_path).model
    found = choose_layers(model, Adapter(kind="lora"), "some/base")
    decoder = 2 * 10  # self- and cross-attention, and two layers behind them
    assert len(found) == 2 * 6 + (decoder if kind.startswith("t5") else 0)
    assert not [name for name in found if "pooler" in name or "classif" in name or "embed" in name]
    some = choose_layers(model, Adapter(kind="lora", targets=[list(found)[-1]]), "some/base")
    assert list(some) == [list(found)[-1]]


def test_targets_are_the_last_parts_of_paths(tiny_recipe: Recipe, tmp_path: Path) -> None:
    model = load("bert", tiny_recipe, tmp_path).model
    found = choose_layers(model, Adapter(kind="lora", targets=["value", "attention.output.dense"]), "b")
    assert [name.removeprefix("bert.encoder.layer.") for name in found] == [
        f"{layer}.attention.{part}" for layer in (0, 1) for part in ("self.value", "output.dense")
    ]


@pytest.mark.parametrize(
    ("adapter", "message"),
    [
        (
            Adapter(kind="ia3", targets=["value", "alue"]),
            r"adapter.targets: some/base has no linear layer 'alue'; its layers end in dense, key, query",
        ),
        (Adapter(kind="lora", targets=["classifier"]), "has no linear layer 'classifier'"),
        (
            Adapter(kind="qlora", rank=33),
            r"adapter.rank: got 33, but bert\.encoder\.layer\.0\.attention\.self\.query is 32 by 32, so at",
        ),
    ],
)
def test_what_an_encoder_cannot_have_is_refused(
    adapter: Adapter, message: str, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    model = load("bert", tiny_recipe, tmp_path).model
    with pytest.raises(BaseModelError, match=message):
        attach_adapter(model, adapter, "some/base")
    assert all(weights.requires_grad for weights in model.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*tiny_encoders.KINDS, "minilm", "t5 text to text"])
@pytest.mark.parametrize("adapter", ["lora", "ia3"])
def test_merged_weights_answer_as_the_adapter_did(
    kind: str, adapter: Any, tiny_recipe: Recipe, tmp_path: Path, peft: None
) -> None:
    base = load(kind, tiny_recipe, tmp_path)
    plain, before = logits(base, TEXTS), (list(base.model.state_dict()), set(vars(base.model)))
    attached = attach_adapter(base.model, Adapter(kind=adapter), "some/base")
    assert torch.equal(logits(base, TEXTS), plain)  # nothing is learnt yet
    disturb(attached)
    learnt = logits(base, TEXTS)
    assert (learnt - plain).abs().max() > 5e-5
    attached.merge()
    assert (logits(base, TEXTS) - learnt).abs().max() <= 1e-5
    assert (list(base.model.state_dict()), set(vars(base.model))) == before
    base.save(tmp_path / "saved")
    assert "peft" not in (tmp_path / "saved" / "config.json").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("kind", SHOWN)
def test_four_bits_are_merged_into_what_they_stand_for(
    kind: str, tiny_recipe: Recipe, tmp_path: Path, peft: None
) -> None:
    base = load(kind, tiny_recipe, tmp_path)
    plain, before = logits(base, TEXTS), (list(base.model.state_dict()), set(vars(base.model)))
    count = base.model.num_parameters()
    attached = attach_adapter(base.model, Adapter(kind="qlora", rank=1), "some/base")
    rounded = logits(base, TEXTS)
    assert attached.model.num_parameters() < 0.9 * count
    assert 1e-5 < (rounded - plain).abs().max() < 1
    disturb(attached)
    learnt = logits(base, TEXTS)
    assert (learnt - rounded).abs().max() > 1e-4
    attached.merge()
    assert (logits(base, TEXTS) - learnt).abs().max() <= 1e-3
    assert (list(base.model.state_dict()), set(vars(base.model))) == before
    assert {weights.dtype for weights in base.model.state_dict().values()} == {torch.float32}


@pytest.mark.slow
def test_an_encoder_without_whole_blocks_is_not_held_in_four_bits(
    tiny_recipe: Recipe, tmp_path: Path, peft: None
) -> None:
    model = load("distilbert", tiny_recipe, tmp_path).model
    for layer in model.distilbert.transformer.layer:
        layer.ffn.lin2 = torch.nn.Linear(48, 32)  # 48 is what the CPU's kernel unpacks wrongly
    with pytest.raises(BaseModelError, match=r"adapter\.kind: got qlora, but no linear layer of some/base"):
        attach_adapter(model, Adapter(kind="qlora"), "some/base")


@pytest.mark.slow
@pytest.mark.parametrize("adapter", ["lora", "qlora", "ia3"])
def test_only_adapter_and_head_learn_and_a_resumed_run_ends_the_same(
    adapter: Any, tiny_recipe: Recipe, tmp_path: Path, peft: None
) -> None:
    longer = {"epochs": 15, "learning_rate": 0.003, "evaluations": 3, "freeze_embeddings": True}
    training = tiny_recipe.training.model_copy(update=longer)
    wish = Adapter(kind=adapter, dropout=None if adapter == "ia3" else 0.1)
    encoder = tiny_encoders.save_encoder(tmp_path / "bert", "bert", **BLOCKS)
    recipe = change(tiny_recipe, path=str(encoder), intermediate_size=64).model_copy(
        update={"training": training, "adapter": wish}
    )
    splits = load_splits(recipe)
    texts = [row.text for row in splits.train]
    base, again = load_base(recipe, texts), load_base(recipe, texts)
    before = {name: weights.clone() for name, weights in base.model.state_dict().items()}
    report = fit(recipe, splits, base, tmp_path)
    after = base.model.state_dict()
    assert list(after) == list(before)
    assert adapter == "ia3" or _last_loss(tmp_path, report.steps) < 1
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert not [name for name in changed if "embeddings" in name or "LayerNorm" in name]
    assert len([name for name in changed if "encoder.layer" in name and "weight" in name]) == 12
    assert {"classifier.weight", "bert.pooler.dense.weight"} <= changed
    assert 0 < (report.trained_share or 0) < 0.7 and (report.peak_memory_bytes or 0) > 10**8
    held = load_file(tmp_path / f"checkpoint-{report.steps}" / WEIGHTS)
    assert not [
        name for name in held if not any(part in name for part in ("lora_", "ia3_", "classifier", "pooler"))
    ]
    _drop_later_checkpoints(tmp_path)
    resumed = fit(recipe, splits, again, tmp_path, resume=True)
    assert 0 < resumed.resumed_at < report.steps == resumed.steps
    assert [name for name in after if not torch.equal(after[name], again.model.state_dict()[name])] == []


def _last_loss(folder: Path, step: int) -> float:
    history = tiny.read_json(folder / f"checkpoint-{step}" / "trainer_state.json")["log_history"]
    return [float(entry["loss"]) for entry in history if "loss" in entry][-1]


def _drop_later_checkpoints(folder: Path) -> None:
    """Leave what a run has that was killed after its first validation."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda one: int(one.name.rpartition("-")[2]))
    for late in found[1:]:
        (late / "trainer_state.json").unlink()  # written last, so this one counts as half


@pytest.mark.slow
def test_an_estimate_takes_the_steps_of_the_adapter(tiny_recipe: Recipe, peft: None) -> None:
    recipe = tiny_recipe.model_copy(update={"adapter": Adapter(kind="qlora")})
    assert estimate_training(recipe, load_splits(recipe)).seconds > 0


@pytest.mark.slow
def test_a_killed_training_with_an_adapter_makes_the_same_release(tiny_base: Path, tmp_path: Path) -> None:
    packages = {**os.environ, "PYTHONPATH": str(packages_on_top(METHODS))}
    training = {"epochs": 12, "batch_size": 4, "evaluations": 6, "learning_rate": 0.02, "bf16": "off"}
    adapter = {"kind": "lora", "rank": 4, "targets": ["query", "value"]}
    recipe = tiny.write_recipe(tmp_path, tiny_base, training=training, adapter=adapter)

    def start(runs: str, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "train.py", str(recipe), "--runs", str(tmp_path / runs), *options]
        return subprocess.Popen(command, cwd=tiny.ROOT, env=packages, stderr=subprocess.PIPE, text=True)

    whole, killed = start("whole"), start("killed")
    while not list(tmp_path.glob("killed/tiny/checkpoints/checkpoint-*/trainer_state.json")):
        assert killed.poll() is None, killed.communicate()
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    told = [process.communicate()[1] for process in (start("killed", "--resume"), whole)]
    first, second = (tmp_path / runs / "tiny" / "release" for runs in ("whole", "killed"))
    assert (first / WEIGHTS).is_file() and (second / WEIGHTS).is_file(), told
    assert sha256(first / WEIGHTS) == sha256(second / WEIGHTS)
    metrics = tiny.read_json(second / "metrics.json")["training"]
    assert metrics["resumed_at"] > 0 and 0.01 < metrics["trained_share"] < 0.5
    card = (second / "README.md").read_text(encoding="utf-8")
    assert (
        "| Adapter | LoRA of rank 4, alpha 8, on the layers `query, value`; merged into the weights |" in card
    )
    assert f"| Memory in training | at most {metrics['peak_memory_bytes'] / 1e9:.1f} GB |" in card
    loaded = AutoModelForSequenceClassification.from_pretrained(second, output_loading_info=True)[1]
    assert not loaded["missing_keys"] and not loaded["unexpected_keys"]

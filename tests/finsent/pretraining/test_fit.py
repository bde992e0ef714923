from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification, TrainerCallback

import pretrain
from finsent.errors import BaseModelError, FinsentError
from finsent.pretraining import fit
from finsent.pretraining.examples import Examples, prepare_material
from finsent.pretraining.fit import picking
from finsent.pretraining.model import prepare_model
from finsent.pretraining.report import read_report
from finsent.pretraining.texts import prepare_texts
from finsent.pretraining.tokens import prepare_reader
from finsent.recipe.pretraining import Pretraining
from finsent.release import EncoderRun, sha256
from tests import tiny_encoders
from tests.finsent.pretraining import samples

WEIGHTS = "model.safetensors"


def made_by(recipe: Pretraining, folder: Path, resume: bool = False) -> Path:
    return pretrain.pretrain(recipe, EncoderRun(folder), resume)


def test_an_encoder_learns_and_classifiers_and_word_models_read_it(tmp_path: Path, tiny_base: Path) -> None:
    encoder = made_by(samples.load(tmp_path, tiny_base), tmp_path / "run")
    report = read_report(encoder)
    assert report.fit.perplexity_after < 0.6 * report.fit.perplexity_before
    assert report.fit.head_steps > 0 and [point.step for point in report.fit.curve][-1] == report.fit.steps
    assert report.weights == sha256(encoder / WEIGHTS)
    kinds = (AutoModelForMaskedLM, AutoModelForSequenceClassification)
    missing = [
        set(kind.from_pretrained(encoder, output_loading_info=True)[1]["missing_keys"]) for kind in kinds
    ]
    assert missing == [set(), {"classifier.weight", "classifier.bias"}]  # the pooler of the base is kept
    before, after = load_file(tiny_base / WEIGHTS), load_file(encoder / WEIGHTS)
    assert torch.equal(before["pooler.dense.weight"], after["bert.pooler.dense.weight"])
    query = "encoder.layer.0.attention.self.query.weight"
    assert not torch.equal(before[query], after[f"bert.{query}"])
    page = (encoder / "README.md").read_text(encoding="utf-8")
    assert page.startswith("---\nlicense: cc-by-sa-4.0\n") and "| News | `cc-by-sa-4.0` |" in page
    assert str(tmp_path) not in page + (encoder / "config.json").read_text(encoding="utf-8")


def test_a_t5_learns_from_random_weights(tmp_path: Path, tiny_base: Path) -> None:
    encoder = made_by(samples.load(tmp_path, tiny_base, **samples.T5), tmp_path / "run")
    report = read_report(encoder)
    assert report.fit.loss_after < report.fit.loss_before - 0.5


def test_dropout_is_that_of_the_recipe_and_the_config_keeps_its_own(tmp_path: Path, tiny_base: Path) -> None:
    training = samples.T5["training"] | {"dropout": 0.25}
    recipe = samples.load(tmp_path, tiny_base, **(samples.T5 | {"training": training}))
    reader = prepare_reader(recipe, prepare_texts(recipe, None).learnt, None, tmp_path)
    model = prepare_model(recipe, reader, None).model
    rates = {module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)}
    assert rates == {0.25} and model.config.dropout_rate == 0.1


@pytest.mark.parametrize("loss", [math.nan, 1e9])
def test_a_pretraining_that_diverged_leaves_the_encoder_that_is_there(
    loss: float, tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = samples.load(tmp_path, tiny_base)
    before = sha256(made_by(recipe, tmp_path / "run") / WEIGHTS)
    compute = fit.PretrainingTrainer.compute_loss

    def diverge(trainer: Any, *given: Any, **named: Any) -> Any:
        found = compute(trainer, *given, **named)
        return (found[0] * 0 + loss, found[1]) if isinstance(found, tuple) else found

    monkeypatch.setattr(fit.PretrainingTrainer, "compute_loss", diverge)
    with pytest.raises(FinsentError, match=r"the pretraining diverged: .* lower training\.learning_rate"):
        made_by(recipe, tmp_path / "run")
    assert sha256(tmp_path / "run" / "encoder" / WEIGHTS) == before


class Killed(TrainerCallback):  # type: ignore[misc]
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.step:
            raise KeyboardInterrupt


@pytest.mark.parametrize("objective", ["mlm", "span"])
def test_a_run_that_was_interrupted_ends_in_the_same_weights(
    tmp_path: Path, tiny_base: Path, objective: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = samples.T5 if objective == "span" else samples.pretraining_tree(tiny_base)
    once = {"training": tree["training"] | {"epochs": 1}}
    recipe = samples.load(tmp_path, tiny_base, **((tree if objective == "span" else {}) | once))
    whole = made_by(recipe, tmp_path / "whole")
    steps = read_report(whole).fit.steps
    build = fit._build_trainer

    def build_killed(*args: Any) -> Any:
        trainer = build(*args)
        trainer.add_callback(Killed(steps // 2 + 1))
        return trainer

    with monkeypatch.context() as patch:
        patch.setattr(fit, "_build_trainer", build_killed)
        with pytest.raises(KeyboardInterrupt):
            made_by(recipe, tmp_path / "cut")
    resumed = made_by(recipe, tmp_path / "cut", resume=True)
    found, expected = read_report(resumed), read_report(whole)
    assert 0 < found.fit.resumed_at < steps
    assert sha256(resumed / WEIGHTS) == sha256(whole / WEIGHTS)
    assert (found.fit.curve, found.fit.loss_before) == (expected.fit.curve, expected.fit.loss_before)
    assert not (tmp_path / "cut" / "checkpoints").exists()
    assert found.fit.tokens_a_second > 0


def test_more_gaps_than_sentinels_are_refused_before_a_text_is_read(tmp_path: Path, tiny_base: Path) -> None:
    training = samples.T5["training"] | {"length": 4096}
    recipe = samples.load(tmp_path, tiny_base, **(samples.T5 | {"training": training}))
    (tmp_path / "news.txt").unlink()
    with pytest.raises(BaseModelError, match=r"227 gaps in a sequence need .* tokenizer has 100"):
        made_by(recipe, tmp_path / "run")


def test_checkpoints_of_another_recipe_are_not_gone_on_from(tmp_path: Path, tiny_base: Path) -> None:
    recipe = samples.load(tmp_path, tiny_base)
    folder = tmp_path / "run" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "recipe.sha256").write_text("another", encoding="utf-8")
    with pytest.raises(FinsentError, match="belong to another recipe or other rows"):
        made_by(recipe, tmp_path / "run", resume=True)


def test_a_pass_shows_every_sequence_once_and_each_place_alone_decides(
    tmp_path: Path, tiny_base: Path
) -> None:
    recipe = samples.load(tmp_path, tiny_base)
    texts = prepare_texts(recipe, None)
    (tmp_path / "staging").mkdir()
    material = prepare_material(
        recipe, texts, prepare_reader(recipe, texts.learnt, None, tmp_path / "staging")
    )
    count = len(material.learnt)
    examples = Examples(material.learnt, material.make, recipe.seed, 2 * count)
    for passed in range(2):
        shown = [examples[place] for place in range(passed * count, (passed + 1) * count)]
        plain = [
            [label if label >= 0 else seen for seen, label in zip(*map(list, one.values()), strict=True)][
                1:-1
            ]
            for one in shown
        ]
        assert sorted(map(list, material.learnt.ids.tolist())) == sorted(plain)
    again = Examples(material.learnt, material.make, recipe.seed, 2 * count)[count + 1]
    assert again["input_ids"].tolist() == examples[count + 1]["input_ids"].tolist()
    assert again["input_ids"].tolist() != examples[1]["input_ids"].tolist()


@pytest.mark.parametrize(
    "kind", ["bert", "distilbert", "roberta", "mpnet", "electra", "albert", "deberta-v2"]
)
def test_the_loss_of_masked_places_alone_is_the_model_s_own(tmp_path: Path, kind: str) -> None:
    base = tiny_encoders.save_encoder(tmp_path / "encoder", kind)
    lowercase = tiny_encoders.KINDS[kind].tokenizer == "wordpiece"
    recipe = samples.load(tmp_path, base, text={"lowercase": lowercase})
    (tmp_path / "staging").mkdir()
    reader = prepare_reader(recipe, [], None, tmp_path / "staging")
    model = prepare_model(recipe, reader, None)
    assert model.new_head
    ids = torch.arange(6, 22).reshape(2, 8)
    labels = torch.where(ids % 3 == 0, ids, -100)
    model.model.eval()
    with torch.no_grad():
        whole = model.model(input_ids=ids, labels=labels).loss
        with picking(model.head(), labels != -100):
            logits = model.model(input_ids=ids).logits
    assert len(logits) == int((labels != -100).sum())
    assert torch.nn.functional.cross_entropy(logits, labels[labels != -100]).item() == pytest.approx(
        whole.item(), abs=1e-5
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": "span"}, "has no eos_token; mlm is for encoders like BERT, span for T5"),
        (
            {"training": samples.STEPS | {"length": 129}},
            "training.length: got 129, but the encoder reads at most",
        ),
    ],
)
def test_what_an_encoder_cannot_do_is_told(
    tmp_path: Path, tiny_base: Path, changes: dict[str, Any], message: str
) -> None:
    base = shutil.copytree(tiny_base, tmp_path / "base")
    with pytest.raises(BaseModelError, match=message):
        made_by(samples.load(tmp_path, base, **changes), tmp_path / "run")

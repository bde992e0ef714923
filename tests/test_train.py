from __future__ import annotations

import json
import resource
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from filelock import FileLock
from transformers import pipeline

import train
from finsent.claim import LOCK
from finsent.data.splits import load_splits
from finsent.encoder.base_model import BaseModel
from finsent.errors import FinsentError
from finsent.onnx_files import FP32, QUANTIZED
from finsent.recipe.file import load_recipe, read_released_recipe
from finsent.recipe.recipe import Recipe
from finsent.release import (
    ALWAYS,
    ATTENTION_FIGURE,
    COVERAGE_FIGURE,
    ENDPOINT_FILES,
    EXAMPLES_FIGURE,
    LEARNING_FIGURE,
    MISTAKES_FIGURE,
    Run,
    missing_files,
    sha256,
)
from finsent.training import distributed
from inference.classifier import Classifier
from model_card.card.build import build_card
from model_card.lint.card import lint_card
from model_card.measure.metrics_file import read_metrics
from publishing.hub.remote import Target
from publishing.package.check import lint_release
from publishing.package.parcel import pack_release, subject_of
from publishing.space.forms import write_form
from tests import tiny


def test_a_release_holds_every_file_and_says_so(tiny_release: Path) -> None:
    assert missing_files(tiny_release) == []
    found = {str(path.relative_to(tiny_release)) for path in tiny_release.rglob("*") if path.is_file()}
    metrics = read_metrics(tiny_release / "metrics.json")
    drawn = {COVERAGE_FIGURE, LEARNING_FIGURE, ATTENTION_FIGURE}
    drawn |= {EXAMPLES_FIGURE} if metrics.examples[0].explanation else set()
    drawn |= {MISTAKES_FIGURE} if any(one.explanation for one in metrics.mistakes) else set()
    assert found == {*ALWAYS, *ENDPOINT_FILES, QUANTIZED.path, *drawn}
    for variant in metrics.variants:
        assert sha256(tiny_release / variant.file) == variant.sha256
        assert (tiny_release / variant.file).stat().st_size == variant.bytes


def test_the_saved_tokenizer_is_one_that_every_version_reads(tiny_release: Path) -> None:
    config = tiny.read_json(tiny_release / "tokenizer_config.json")
    assert config["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert config["model_max_length"] == 128
    assert config["model_input_names"] == ["input_ids", "token_type_ids", "attention_mask"]
    tree = tiny.read_json(tiny_release / "tokenizer.json")
    assert tree["truncation"] is None and tree["padding"] is None


def test_no_path_of_this_machine_is_released(tiny_release: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer_config.json", "metrics.json", "README.md"):
        assert str(tmp_path.parent.parent) not in (tiny_release / name).read_text(encoding="utf-8"), name


def test_the_quantized_figures_come_from_the_released_file(tiny_release: Path) -> None:
    metrics = read_metrics(tiny_release / "metrics.json")
    assert metrics.default_variant == "quantized"
    assert [variant.name for variant in metrics.variants] == ["pytorch", "fp32", "quantized"]
    exact = metrics.variant("fp32").drift
    assert exact is not None and exact.flip_count == 0 and exact.max_probability_difference < 1e-5
    assert (
        metrics.baselines[0].scores.per_class["neutral"].support
        == metrics.variants[0].scores.per_class["neutral"].support
    )


def test_other_labels_and_encoders_make_releases_too(tmp_path: Path) -> None:
    encoder = tiny.save_encoder(tmp_path / "distil", "distilbert")
    tree = tiny.recipe_tree(tmp_path, encoder)
    names = {"negative": "bearish", "neutral": "bearish", "positive": "bullish"}
    tree["data"]["sources"][0]["labels"] = names
    card = tiny.card_tree() | {"label_meanings": {"bearish": "down", "bullish": "up"}, "tones": {}}
    card["examples"][0]["expected"] = "bullish"
    tree["evaluation"]["suites"] = []
    changes = {"data": tree["data"], "labels": ["bearish", "bullish"], "card": card}
    recipe = tiny.write_recipe(tmp_path, encoder, evaluation=tree["evaluation"], **changes)
    release = tiny.train_release(recipe, tmp_path / "runs")
    found = Classifier(release)("Arvo profit rose this quarter")
    assert set(found.scores) == {"bearish", "bullish"}
    inputs = tiny.read_json(release / "tokenizer_config.json")["model_input_names"]
    assert inputs == ["input_ids", "attention_mask"]
    told = pipeline("text-classification", model=str(release))("Arvo profit rose this quarter")
    assert told[0]["label"] == found.label


def test_two_runs_give_the_same_release_but_for_time(
    tiny_release: Path, tiny_base: Path, tmp_path: Path
) -> None:
    again = tiny.train_release(tiny.write_recipe(tmp_path, tiny_base), tmp_path / "runs")
    for name in ("model.safetensors", "tokenizer.json", FP32.path, QUANTIZED.path, "config.json"):
        assert sha256(again / name) == sha256(tiny_release / name), name
    first, second = (tiny.read_json(folder / "metrics.json") for folder in (tiny_release, again))
    assert _without_time(first) == _without_time(second)


def test_no_file_of_a_release_says_where_on_this_machine_it_was_made(
    tiny_release: Path, tiny_base: Path
) -> None:
    places = [str(place).encode() for place in (tiny_base, tiny_release.parents[2], tiny.ROOT)]
    content = {path: path.read_bytes() for path in tiny_release.rglob("*") if path.is_file()}
    assert len(content) > 8
    assert [(path.name, place) for path, one in content.items() for place in places if place in one] == []


def test_fp16_and_q4_files_go_the_whole_way(tiny_base: Path, tmp_path: Path) -> None:
    wide = {"macro_f1_drop": 1.0, "flip_share": 1.0, "batch_difference": 1e-3}
    variants = [{"name": "fp32"}, *({"name": name, "budget": wide} for name in ("fp16", "q4", "quantized"))]
    recipe = tiny.write_recipe(tmp_path, tiny_base, export={"variants": variants})
    release = tiny.train_release(recipe, tmp_path / "runs")
    metrics = read_metrics(release / "metrics.json")
    half = metrics.variant("fp16")
    assert (half.file, half.precision) == ("onnx/model_fp16.onnx", "fp16") and half.drift is not None
    assert half.sha256 == sha256(release / half.file)
    small = metrics.variant("q4")
    assert (small.file, small.precision) == ("onnx/model_q4.onnx", "int4 weights") and small.drift is not None
    assert small.bytes < half.bytes
    assert metrics.default_variant == "quantized"  # by name, wherever the recipe lists it
    card = (release / "README.md").read_text(encoding="utf-8")
    assert "| `onnx/model_fp16.onnx` | `fp16` |" in card
    assert 'GPU and WebGPU, half the size of fp32, `dtype: "fp16"` in transformers.js |' in card
    assert "| `onnx/model_q4.onnx` | `int4 weights` |" in card
    assert 'smallest download, CPU and WebGPU, `dtype: "q4"` in transformers.js |' in card
    assert '["model.onnx", "model_fp16.onnx", "model_q4.onnx", "model_quantized.onnx"]' in card
    assert (
        '`dtype: "q8"` loads `onnx/model_quantized.onnx`, `dtype: "fp32"` loads `onnx/model.onnx`, `dty'
        in card
    )
    assert lint_card(card, metrics, release) == []
    parcel = pack_release(tmp_path / "runs" / "tiny", Target("finsent/tiny", "model"), None)
    assert half.file in parcel.manifest.files and lint_release(parcel.manifest, release) == []
    other = metrics.model_copy(update={"default_variant": "fp16"})
    write_form("static", subject_of(replace(parcel, metrics=other)), tmp_path / "form")
    assert '"dtype": "fp16"' in (tmp_path / "form" / "index.html").read_text(encoding="utf-8")


def test_a_teacher_is_made_once_and_then_found(tmp_path: Path, tiny_base: Path) -> None:
    recipe = tiny.write_recipe(tmp_path, tiny_base)
    student = tmp_path / "student.yaml"
    plan = {"teachers": [recipe.name], "augmentations": 1, "initialize_from": "teacher", "transfer": 2}
    (tmp_path / "news.txt").write_text("Arvo signs\nBelmi sells\nCando buys", encoding="utf-8")
    news = {"name": "news", "title": "Some news", "licence": "cc-by-4.0", "path": ".", "files": ["news.txt"]}
    student.write_text(
        f"extends: {recipe.name}\nname: student\ndistillation: {plan!r}\ndata: {{unlabelled: [{news!r}]}}\n",
        encoding="utf-8",
    )
    first = tiny.run_train(student, tmp_path / "runs")
    assert first.returncode == 0, first.stderr
    assert "teacher: tiny" in first.stderr
    assert "base: tiny" in first.stderr
    made = (tmp_path / "runs" / "tiny" / "release" / "metrics.json").read_bytes()
    again = tiny.run_train(student, tmp_path / "runs")
    assert again.returncode == 0, again.stderr
    assert "teacher: tiny" not in again.stderr
    assert (tmp_path / "runs" / "tiny" / "release" / "metrics.json").read_bytes() == made
    card = (tmp_path / "runs" / "student" / "release" / "README.md").read_text(encoding="utf-8")
    assert "% from tiny, the rest from the label |" in card
    teacher, own = (
        read_metrics(tmp_path / "runs" / of / "release/metrics.json") for of in ("tiny", "student")
    )
    taught = own.beside_teacher
    assert taught is not None and taught.accuracy == teacher.variant("pytorch").scores.accuracy
    assert "### Beside its teacher\n" in card and f"| tiny | {100 * taught.accuracy:.1f} % (" in card
    assert "| Texts without labels | 2 of Some news, labelled by the teachers alone; 0 that were" in card
    assert "| data: Some news | `cc-by-4.0` |" in card
    assert "the weights of tiny, which was trained from the base model" in card
    assert own.training.transfer is not None and len(own.training.transfer.digest) == 64


def test_a_student_of_written_answers_needs_no_teacher(tmp_path: Path, tiny_base: Path) -> None:
    recipe = tiny.write_recipe(tmp_path, tiny_base)
    student = tmp_path / "student.yaml"
    plan = {"teachers": [recipe.name], "augmentations": 1, "splices": 1, "answers": "said"}
    student.write_text(f"extends: {recipe.name}\nname: student\ndistillation: {plan!r}\n", encoding="utf-8")
    written = tiny.run_train(student, tmp_path / "there", "--write-answers")
    assert written.returncode == 0, written.stderr
    assert written.stdout == f"{tmp_path / 'said' / 'tiny.csv'}\n" and "teacher: tiny" in written.stderr
    assert not (tmp_path / "there" / "student" / "release").exists()
    made = tiny.run_train(student, tmp_path / "here")
    assert made.returncode == 0, made.stderr
    assert "teacher: tiny" not in made.stderr and "without a written answer" not in made.stderr
    assert not (tmp_path / "here" / "tiny").exists()
    release = tmp_path / "here" / "student" / "release"
    card = (release / "README.md").read_text(encoding="utf-8")
    metrics = read_metrics(release / "metrics.json")
    teacher = read_metrics(tmp_path / "there" / "tiny" / "release" / "metrics.json")
    taught = metrics.beside_teacher
    assert taught is not None and taught.accuracy == teacher.variant("pytorch").scores.accuracy
    assert metrics.training.answers is not None and metrics.training.answers.rows == 54
    assert "| Answers | written down before, for 54 of 54 rows |" in card
    assert "| Splices | 1 copies of each text that end as another does" in card
    assert "### Beside its teacher\n" in card and lint_card(card, metrics, release) == []
    again = read_released_recipe(release / "recipe.yaml").distillation
    assert again is not None and again.answers is not None and again.answers.endswith("said")


def test_answers_need_a_folder_to_be_written_to(tmp_path: Path, tiny_base: Path) -> None:
    refused = tiny.run_train(tiny.write_recipe(tmp_path, tiny_base), tmp_path / "runs", "--write-answers")
    assert refused.returncode == 1
    assert "tiny: --write-answers needs distillation.answers, the folder to write to" in refused.stderr


def _without_time(metrics: dict[str, object]) -> str:
    """Drop what may differ between two runs: times, energy, memory, date, and the path to its own rows."""
    text = json.loads(json.dumps(metrics))
    for variant in text["variants"]:
        del variant["timing"]
    for key in ("seconds", "watt_hours_estimate", "co2_grams_estimate", "peak_memory_bytes"):
        del text["training"][key]
    del text["explanations"]["seconds"]
    del text["created"], text["recipe_sha256"], text["peak_memory_bytes"]
    return json.dumps(text, sort_keys=True)


def test_the_card_can_be_made_again_from_the_release(tiny_release: Path) -> None:
    recipe = read_released_recipe(tiny_release / "recipe.yaml")
    metrics = read_metrics(tiny_release / "metrics.json")
    assert build_card(recipe, metrics) == (tiny_release / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": "x"}, 'seed: got "x"'),
        ({"card": tiny.card_tree() | {"licence": "wtfpl"}}, "licence 'wtfpl' is not known"),
        ({"base": {"path": "/nowhere", "hub": "a/b", "licence": "mit"}}, "base.path: got '/nowhere', which"),
    ],
)
def test_a_broken_recipe_ends_in_one_line(
    tmp_path: Path, tiny_base: Path, changes: dict[str, object], message: str
) -> None:
    done = tiny.run_train(tiny.write_recipe(tmp_path, tiny_base, **changes), tmp_path / "runs")
    assert done.returncode == 1
    assert done.stdout == ""
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs" / "tiny" / "release").exists()


def test_an_unreadable_source_ends_in_one_line(tmp_path: Path, tiny_base: Path) -> None:
    recipe = tiny.write_recipe(tmp_path, tiny_base)
    (tmp_path / "rows.csv").write_bytes(b"text,label,event,pair\nProfit \xff,positive,e,\n")
    done = tiny.run_train(recipe, tmp_path / "runs")
    assert done.returncode == 1
    assert "rows.csv, line 2: bytes" in done.stderr.splitlines()[-1]


def test_a_disk_that_fills_up_ends_in_one_line(tmp_path: Path, tiny_base: Path) -> None:
    def limit_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))  # half of the tiny weights

    recipe = tiny.write_recipe(tmp_path, tiny_base)
    done = tiny.run_train(recipe, tmp_path / "runs", before=limit_files)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs" / "tiny" / "release").exists()


def test_a_release_is_made_once_at_a_time(tmp_path: Path, tiny_base: Path) -> None:
    recipe = tiny.write_recipe(tmp_path, tiny_base)
    folder = tmp_path / "runs" / "tiny"
    folder.mkdir(parents=True)
    with FileLock(folder / LOCK):
        done = tiny.run_train(recipe, tmp_path / "runs")
    assert done.returncode == 1
    assert "another run is building this release; wait for it" in done.stderr.splitlines()[-1]


def test_a_weak_release_is_refused_and_one_that_may_be_weak_goes_on_from_the_checkpoint(
    tiny_base: Path, tmp_path: Path
) -> None:
    slow = {"epochs": 1, "batch_size": 8, "learning_rate": 1e-9, "evaluations": 1, "bf16": "off"}
    recipe = tiny.write_recipe(tmp_path, tiny_base, training=slow, allow_weak=False)
    refused = tiny.run_train(recipe, tmp_path / "runs")
    assert refused.returncode == 1
    last = refused.stderr.splitlines()[-1]
    assert "not released, because it is weak: " in last and "allow_weak: true" in last
    assert not (tmp_path / "runs" / "tiny" / "release").exists()
    recipe = tiny.write_recipe(tmp_path, tiny_base, training=slow, allow_weak=True)
    done = tiny.run_train(recipe, tmp_path / "runs", "--resume")
    assert done.returncode == 0, done.stderr
    assert "\n  weak: " in done.stdout and "\n  peak memory " in done.stdout
    assert "caution: The test split has 18 rows" in done.stderr  # before the training, too
    release = tmp_path / "runs" / "tiny" / "release"
    assert "**This release is weak.**" in (release / "README.md").read_text(encoding="utf-8")
    metrics = read_metrics(release / "metrics.json")
    assert metrics.training.resumed_at > 0 and metrics.weak and metrics.texts is not None
    assert 10**8 < (metrics.peak_memory_bytes or 0) < 10**11


@pytest.mark.parametrize("seed", [0, 1])
def test_a_teacher_of_another_recipe_is_made_again(
    seed: int, tiny_release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = Path(shutil.copytree(tiny_release, tmp_path / "tiny" / "release"))
    recipe = load_recipe(tiny_release.parents[2] / "tiny.yaml")
    recipe, splits = recipe.model_copy(update={"seed": recipe.seed + seed}), load_splits(recipe)
    student = recipe.model_copy(update={"name": "student"})
    made: list[str] = []
    monkeypatch.setattr(train, "train", lambda recipe, run, *_: made.append(recipe.name) or run.release)
    assert train.make_teacher(recipe, student, splits, Run(tmp_path / "student"), resume=False) == release
    assert made == ["tiny"] * seed


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": {"pair_margin": 1.0}}, "no two training rows of one group have different labels"),
        ({"adapter": {"kind": "lora", "targets": ["quary"]}}, "adapter.targets: .* no linear layer 'quary'"),
        ({"adapter": {"kind": "lora", "rank": 99}}, r"adapter\.rank: got 99, but .* at most 32 is allowed"),
    ],
)
def test_what_cannot_be_fitted_is_told_before_a_teacher_is_made(
    changes: dict[str, object], message: str, tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.write_recipe(tmp_path, tiny_base)
    tree = {"extends": "tiny.yaml", "name": "student", "distillation": {"teachers": ["tiny.yaml"]}}
    (tmp_path / "student.yaml").write_text(yaml.safe_dump(tree | changes), encoding="utf-8")
    monkeypatch.setattr(train, "check_packages", lambda recipe: None)
    monkeypatch.setattr(train, "make_teacher", lambda *_: pytest.fail("a teacher was made"))
    student = load_recipe(tmp_path / "student.yaml", tmp_path / "runs")
    with pytest.raises(FinsentError, match=message):
        train.train(student, Run(tmp_path / "runs" / "student"))


class Stopped(Exception):
    """What comes after the fitting is another test's."""


@pytest.mark.parametrize("is_teacher", [False, True])
def test_other_processes_are_kept_until_the_student_is_fitted(
    is_teacher: bool, tiny_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def save(*_: object) -> None:
        raise Stopped

    monkeypatch.setattr(train, "fit", lambda *_: calls.append("fit"))
    monkeypatch.setattr(train, "dismiss_others", lambda: calls.append("dismiss"))
    monkeypatch.setattr(BaseModel, "save", save)
    with pytest.raises(Stopped):
        train.train(tiny_recipe, Run(tmp_path), False, load_splits(tiny_recipe) if is_teacher else None)
    assert calls == ["fit", *([] if is_teacher else ["dismiss"])]


def test_a_batch_that_processes_cannot_share_is_refused_before_anything_is_read(
    tiny_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(distributed, "count_processes", lambda: 3)
    with pytest.raises(FinsentError, match="got 8, which 3 processes cannot share evenly"):
        train.train(tiny_recipe, Run(tmp_path))
    assert capsys.readouterr().err == ""

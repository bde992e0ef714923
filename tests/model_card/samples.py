"""A small recipe and the figures of a run that might have been made from it, all in code."""

from __future__ import annotations

from typing import Any

import numpy as np

from export.gate import Drift
from finsent.data.report import DataReport
from finsent.recipe.recipe import Recipe
from finsent.scoring import Interval, Scores, score, wilson
from finsent.training.report import Evaluation, TrainingReport
from model_card.behaviour.rates import SuiteRate
from model_card.explanations.figures import (
    GRADIENT,
    INTEGRATED,
    LEAVE_ONE_OUT,
    RANDOM,
    AttentionView,
    Explanations,
    Faithfulness,
    WordEffects,
)
from model_card.measure.abstention import Abstention, Judged, measure_abstention
from model_card.measure.metrics_file import (
    SCHEMA_VERSION,
    Baseline,
    ExampleResult,
    Machine,
    Metrics,
    Mistake,
    RuntimeRun,
    SeenRows,
    Timing,
    VariantFigures,
)

LABELS = ["negative", "neutral", "positive"]
PARAMETERS = 14_351_187
BYTES = {"pytorch": 57_424_110, "fp32": 57_502_003, "quantized": 14_871_345}
FILES = {
    "pytorch": "model.safetensors",
    "fp32": "onnx/model.onnx",
    "quantized": "onnx/model_quantized.onnx",
}


def make_recipe(**changes: Any) -> Recipe:
    """Return a recipe; `changes` replace top-level keys."""
    same = {label: label for label in LABELS}
    tree: dict[str, Any] = {
        "name": "sample",
        "version": "1.2.0",
        "seed": 7,
        "labels": LABELS,
        "data": {
            "sources": [
                {
                    "kind": "table",
                    "name": "headlines",
                    "title": "Sample headlines",
                    "licence": "cc-by-4.0",
                    "path": "data/headlines",
                    "files": {"train": ["train.csv"], "test": ["test.csv"]},
                    "slice": "event",
                    "labels": same,
                },
                {
                    "kind": "table",
                    "name": "posts",
                    "title": "Posts | with a bar",
                    "licence": "mit",
                    "homepage": "https://huggingface.co/datasets/some/posts",
                    "hub": "some/posts",
                    "revision": "main",
                    "files": {"train": ["all.csv"]},
                    "labels": same,
                },
            ]
        },
        "base": {"hub": "some/tiny-bert", "licence": "apache-2.0", "layers": [0, 1]},
        "energy": {"watts": 60, "grams_per_kwh": 400},
        "export": {"variants": [{"name": "fp32"}, {"name": "quantized"}]},
        "card": {
            "title": "finsent sample",
            "summary": "Tells whether a headline about $AAPL or any other share is good or bad for it.",
            "intended_use": "Sorting headlines.",
            "out_of_scope": ["Whole articles."],
            "limits": ["Text is cut after 500 characters.", "A cashtag such as $TSLA counts as its letters."],
            "notice": "Nothing that the model says is investment advice.",
            "tags": ["finance", "sentiment-analysis"],
            "authors": ["A. Author", "B. Author"],
            "unit": {"one": "headline", "many": "headlines"},
            "tones": {"negative": "bad", "neutral": "neither", "positive": "good"},
            "label_meanings": {"negative": "bad news", "neutral": "no news", "positive": "good news"},
            "examples": [
                {"title": "Profit: up", "text": "Profit rose 12 % at Havn | Co.", "expected": "positive"},
                {"title": "A cut", "text": '$QRVX cuts its "outlook"', "expected": "negative"},
                {"title": "no", "text": "Report on 14 August", "expected": "neutral"},
            ],
        },
        "hub": {"model": "some-one/finsent-sample", "space": "some-one/finsent-sample-demo"},
    }
    return Recipe.model_validate(tree | changes)


def make_scores(seed: int, n: int, skill: float) -> Scores:
    """Return real scores of drawn probabilities; the higher the skill, the more are right."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(len(LABELS), size=n, p=[0.25, 0.45, 0.3])
    logits = generator.normal(size=(n, len(LABELS))) + skill * np.eye(len(LABELS))[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return score(probabilities, labels, LABELS, resamples=200, seed=1)


def make_metrics(**changes: Any) -> Metrics:
    """Return the figures of a run; `changes` replace top-level keys."""
    figures: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "recipe": "sample",
        "recipe_sha256": make_recipe().fingerprint(),
        "version": "1.2.0",
        "created": "2026-11-20T09:30:00+00:00",
        "parameters": PARAMETERS,
        "vocabulary": 30_522,
        "layers": 2,
        "hidden_size": 312,
        "positions": 512,
        "licence": "apache-2.0",
        "protocol": "Every test row once, inference/classifier.py, batches of 32, 200 resamples, seed 7.",
        "default_variant": "quantized",
        "data": _make_data(),
        "training": make_training(),
        "variants": [_make_variant(name) for name in BYTES],
        "dropped": [],
        "baselines": [
            Baseline(name="majority class", scores=make_scores(5, 400, 0.0)),
            Baseline(name="TF-IDF and logistic regression", scores=make_scores(6, 400, 1.5)),
        ],
        "by_source": {"headlines": make_scores(7, 150, 3.0), "posts": make_scores(8, 250, 3.0)},
        "by_slice": {
            "headlines/results": make_scores(9, 90, 3.0),
            "headlines/guidance": make_scores(10, 60, 3.0),
        },
        "examples": [_make_example(index) for index in range(3)],
        "mistakes": [
            Mistake(
                text="Loss | narrows for $ABC",
                expected="positive",
                predicted="negative",
                score=0.9132,
                slice="headlines/results",
                explanation=WordEffects(
                    "negative", [0.6173, 0.0219, -0.1347, 0.0838, 0.0517], 0.9132, 0.2801, 0.0031
                ),
            ),
        ],
        "behaviour": [
            _make_rate("direction/contrast", "pairs with both labels right", 37, 90),
            _make_rate("invariance/case", "changed sentences whose label stays", 168, 174),
        ],
        "abstention": make_abstention(),
        "seen_rows": make_seen_rows(),
        "explanations": make_explanations(),
        "runtimes": [RuntimeRun(name="handler.py", texts=3, difference=0.0)],
        "machine": _make_machine(),
    }
    return Metrics.model_validate(figures | changes)


def make_abstention(skill: float = 2.0, target_error: float = 0.1) -> Abstention:
    """Return a threshold and what it does, of drawn answers that are right the oftener the surer they are."""
    generator = np.random.default_rng(11)

    def draw(n: int) -> Judged:
        confidence = generator.uniform(1 / len(LABELS), 1, size=n)
        return Judged(confidence, generator.uniform(size=n) < confidence ** (1 / skill))

    return measure_abstention(draw(360), draw(400), target_error)


def make_training(resumed_at: int = 0) -> TrainingReport:
    """Return what a training took; with `resumed_at`, since that step only."""
    return TrainingReport(
        seconds=91.4,
        steps=240,
        resumed_at=resumed_at,
        epochs=3.5,
        validation_macro_f1=0.8712,
        temperature=1.2345,
        precision="bf16 autocast",
        parameters=PARAMETERS,
        watt_hours_estimate=1.5233,
        co2_grams_estimate=0.6093,
        curve=(
            Evaluation(80, 0.8123, 0.5712, 0.7904),
            Evaluation(160, 0.4211, 0.4433, 0.8712),
            Evaluation(240, 0.2544, 0.4621, 0.8687),
        ),
    )


def make_seen_rows(gap: float = 0.0095) -> SeenRows:
    """Return the accuracy on training rows, which is higher by `gap` than that on test rows."""
    accuracy = make_scores(3, 400, 3.0).accuracy + gap
    return SeenRows(
        rows=1000,
        accuracy=accuracy,
        accuracy_interval=Interval(accuracy - 0.0055, accuracy + 0.0019),
        gap=gap,
        gap_interval=Interval(gap - 0.007, gap + 0.011),
    )


def make_explanations(ahead: float = 0.05) -> Explanations:
    """Return figures of three methods; integrated gradients are `ahead` of random order at the least."""
    rows = [
        (LEAVE_ONE_OUT, 0.3412, 0.1203, 0.12),
        (INTEGRATED, 0.3187, 0.1422, ahead),
        (GRADIENT, 0.1711, 0.2634, -0.02),
    ]
    bounded = [
        Faithfulness(
            name, 40, fall, Interval(fall - 0.06, fall + 0.06), kept, Interval(kept - 0.05, kept + 0.05),
            Interval(low, low + 0.09), Interval(low, low + 0.08),
        )
        for name, fall, kept, low in rows
    ]  # fmt: skip
    bar = Faithfulness(RANDOM, 40, 0.1502, Interval(0.1203, 0.1811), 0.2711, Interval(0.2304, 0.3122))
    weights = [[0.4579, 0.2421, 0.2, 0.1], [0.1, 0.6421, 0.1579, 0.1]]
    view = AttentionView("Profit rose", ["[CLS]", "profit", "rose", "[SEP]"], weights)
    return Explanations([*bounded, bar], [0.1, 0.2, 0.5], 256, view, 21.4)


def _make_example(index: int) -> ExampleResult:
    example = make_recipe().card.examples[index]
    chances = [(0.0211, 0.0478, 0.9311), (0.8542, 0.1003, 0.0455), (0.2114, 0.3005, 0.4881)][index]
    scores = dict(zip(LABELS, chances, strict=True))
    words = len(example.text.split())
    effects = [round(0.4 / (1 + word), 3) * (-1) ** word for word in range(words)]
    label = max(scores, key=scores.__getitem__)
    explained = WordEffects(label, effects, scores[label], 0.3333, 0.0012)
    return ExampleResult(**example.model_dump(), scores=scores, explanation=explained)


def _make_variant(name: str) -> VariantFigures:
    scores = make_scores(3 if name == "quantized" else 2, 400, 3.0)
    quantized = name == "quantized"
    drift = Drift(
        flip_count=9 if quantized else 0,
        flip_share=9 / 400 if quantized else 0.0,
        max_probability_difference=0.2134 if quantized else 3.2e-7,
        macro_f1_drop=make_scores(2, 400, 3.0).macro_f1 - scores.macro_f1,
        batch_difference=0.0 if quantized else 4.4e-7,
    )
    return VariantFigures.model_validate(
        {
            "name": name,
            "file": FILES[name],
            "runtime": "transformers" if name == "pytorch" else "onnxruntime",
            "precision": "int8" if quantized else "fp32",
            "bytes": BYTES[name],
            "sha256": f"{len(name):02x}" * 32,
            "scores": scores,
            "drift": None if name == "pytorch" else drift,
            "timing": Timing(texts=300, threads=1, p50_ms=1.234, p99_ms=2.345, texts_a_second=1432.1),
        }
    )


def _make_data() -> DataReport:
    counts = {"train": (1200, 2100), "validation": (120, 240), "test": (150, 250)}
    return DataReport(
        read={"headlines": 1500, "posts": 2700},
        left_out={"entities disagree": 12},
        duplicates=70,
        conflicting=18,
        near_duplicate_groups=33,
        tied_to_held_out=52,
        counts={name: {"headlines": own, "posts": other} for name, (own, other) in counts.items()},
        labels={
            "train": dict(zip(LABELS, (800, 1500, 1000), strict=True)),
            "validation": dict(zip(LABELS, (90, 160, 110), strict=True)),
            "test": dict(zip(LABELS, (96, 186, 118), strict=True)),
        },
        fingerprints={name: f"{index:02x}" * 32 for index, name in enumerate(counts)},
    )


def _make_rate(name: str, measures: str, passed: int, n: int) -> SuiteRate:
    low, high = wilson(passed, n)
    return SuiteRate(name, measures, n, passed, passed / n, low, high)


def _make_machine() -> Machine:
    return Machine(
        processor="Sample CPU @ 2.50GHz",
        cores=2,
        flags=["avx2", "avx512_vnni"],
        memory_bytes=8_000_000_000,
        system="Linux 6.1",
        versions={"python": "3.11.9", "transformers": "4.57.6", "onnxruntime": "1.31.1"},
    )

"""Measuring a release: every variant on the same test rows, through the code that users run."""

from __future__ import annotations

import os
import platform
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from export.gate import Drift, check_budget, measure_drift
from finsent.data.rows import Row
from finsent.data.splits import Splits
from finsent.errors import ReleaseError
from finsent.recipe.export import Variant
from finsent.recipe.recipe import Recipe
from finsent.release import ONNX_FILES, WEIGHTS, sha256
from finsent.scoring import Floats, Ints, Scores, score
from finsent.training.prediction import predict_logits
from finsent.training.report import TrainingReport
from inference.classifier import Classifier, Prediction, softmax
from model_card.behaviour.cases import read_suites
from model_card.behaviour.suites import run_suites, wanted_labels
from model_card.measure.abstention import Abstention, judge, measure_abstention
from model_card.measure.metrics import (
    SCHEMA_VERSION,
    Agreement,
    Baseline,
    BehaviourRate,
    Dropped,
    ExampleResult,
    Machine,
    Metrics,
    Mistake,
    Timing,
    VariantFigures,
)

PACKAGES = ("torch", "transformers", "tokenizers", "optimum-onnx", "onnxruntime", "numpy", "huggingface_hub")
CPU_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_int8", "asimddp", "i8mm")
PRECISION = {"fp32": "fp32", "quantized": "int8 (static QDQ)"}
WARM_UP = 20  # texts before the clock starts
MISTAKES = 20
INVARIANCE_ROWS = 256
PROTOCOL = (
    "Scores: all test rows, the label of the largest probability. Intervals: 95 % percentile bootstrap "
    "over rows. Latency: the first test rows one by one, one thread, tokenizer included, after a warm-up. "
    "Throughput: all test rows, sorted by length, in batches. Alone against batch: the first "
    f"{INVARIANCE_ROWS} test rows. PyTorch runs through transformers, ONNX through inference/classifier.py."
)

Predict = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True)
class _Measured:
    figures: VariantFigures
    probabilities: Floats


def measure(recipe: Recipe, splits: Splits, training: TrainingReport, folder: Path, licence: str) -> Metrics:
    """Measure the model in `folder` and every ONNX file beside it; files over their budget are deleted.

    What was dropped, and why, stands in `dropped`; whether that is fatal is for the caller to say, unless
    nothing is left: ReleaseError.
    """
    rows, labels = splits.test, class_numbers(splits.test, recipe.labels)
    texts = [row.text for row in rows]
    pytorch = _measure_pytorch(recipe, folder, texts, labels)
    measured, dropped = [pytorch], []
    for variant in recipe.export.variants:
        one, reasons = _measure_variant(recipe, variant, folder, texts, labels, pytorch.probabilities)
        if reasons:
            (folder / ONNX_FILES[variant.name]).unlink()
            dropped.append(Dropped(name=variant.name, reasons=reasons))
        else:
            measured.append(one)
    if measured == [pytorch]:
        told = "; ".join(f"{one.name}: {', '.join(one.reasons)}" for one in dropped)
        raise ReleaseError(f"every ONNX file is over its budget ({told}); train longer, or widen the budgets")
    default = measured[-1]
    config = AutoModelForSequenceClassification.from_pretrained(folder).config
    return Metrics(
        schema_version=SCHEMA_VERSION,
        recipe=recipe.name,
        recipe_sha256=recipe.fingerprint(),
        version=recipe.version,
        created=datetime.now(UTC).date().isoformat(),
        parameters=training.parameters,
        vocabulary=config.vocab_size,
        layers=config.num_hidden_layers,
        hidden_size=config.hidden_size,
        positions=config.max_position_embeddings,
        licence=licence,
        protocol=PROTOCOL,
        default_variant="quantized" if default.figures.name == "quantized" else "fp32",
        data=splits.report,
        training=training,
        variants=[one.figures for one in measured],
        dropped=dropped,
        baselines=_measure_baselines(recipe, splits, labels),
        by_source=_score_parts(recipe, [row.source for row in rows], default.probabilities, labels),
        by_slice=_score_parts(recipe, [_slice_name(row) for row in rows], default.probabilities, labels),
        examples=_run_examples(recipe, folder, default.figures.file),
        mistakes=_find_mistakes(recipe, rows, labels, default.probabilities),
        behaviour=_measure_behaviour(recipe, rows, Classifier(folder, default.figures.file)),
        abstention=_measure_abstention(recipe, splits, folder, default),
        machine=describe_machine(),
    )


def class_numbers(rows: list[Row], names: list[str]) -> Ints:
    """Return the class numbers `(n,)` of rows."""
    return np.array([names.index(row.label) for row in rows])


def _score(recipe: Recipe, probabilities: Floats, labels: Ints) -> Scores:
    return score(probabilities, labels, recipe.labels, recipe.evaluation.bootstrap, recipe.seed)


def _measure_pytorch(recipe: Recipe, folder: Path, texts: list[str], labels: Ints) -> _Measured:
    predict = _pytorch_predictor(folder, recipe.evaluation.batch_size)
    probabilities = predict(texts)
    return _Measured(
        VariantFigures(
            name="pytorch",
            file=WEIGHTS,
            runtime="transformers",
            precision="fp32",
            bytes=(folder / WEIGHTS).stat().st_size,
            sha256=sha256(folder / WEIGHTS),
            scores=_score(recipe, probabilities, labels),
            agreement=None,
            timing=_time(predict, texts, recipe),
        ),
        probabilities,
    )


def _pytorch_predictor(folder: Path, batch_size: int) -> Predict:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    return lambda texts: softmax(predict_logits(model, tokenizer, texts, batch_size))


def _measure_variant(
    recipe: Recipe, variant: Variant, folder: Path, texts: list[str], labels: Ints, reference: Floats
) -> tuple[_Measured, list[str]]:
    file = ONNX_FILES[variant.name]
    classifier = Classifier(folder, file)
    size = recipe.evaluation.batch_size
    probabilities = classifier.predict(texts, size)
    drift = _drift(classifier, texts, reference, probabilities, labels, size)
    figures = VariantFigures(
        name=variant.name,
        file=file,
        runtime="onnxruntime",
        precision=PRECISION[variant.name],
        bytes=(folder / file).stat().st_size,
        sha256=sha256(folder / file),
        scores=_score(recipe, probabilities, labels),
        agreement=Agreement(**asdict(drift)),
        timing=_time(lambda batch: classifier.predict(batch, size), texts, recipe),
    )
    return _Measured(figures, probabilities), check_budget(drift, variant.budget)


def _drift(
    classifier: Classifier,
    texts: list[str],
    reference: Floats,
    probabilities: Floats,
    labels: Ints,
    size: int,
) -> Drift:
    """Compare with PyTorch, and texts alone with the same texts beside one of the greatest length."""
    some = texts[:INVARIANCE_ROWS]
    longest = max(texts, key=len)
    alone = np.concatenate([classifier.predict([text]) for text in some])
    padded = np.concatenate(
        [
            classifier.predict([*some[start : start + size - 1], longest], size)[:-1]
            for start in range(0, len(some), size - 1)
        ]
    )
    return measure_drift(reference, probabilities, alone, padded, labels)


def _time(predict: Predict, texts: list[str], recipe: Recipe) -> Timing:
    """Time texts one by one and all together, on one thread."""
    chosen = texts[: recipe.evaluation.latency_texts]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for text in chosen[:WARM_UP]:
            predict([text])
        took = [_clock(predict, [text]) for text in chosen]
        together = _clock(predict, texts)
    finally:
        torch.set_num_threads(threads)
    p50, p99 = np.quantile(took, [0.5, 0.99]) * 1000
    return Timing(
        texts=len(chosen),
        threads=1,
        p50_ms=float(p50),
        p99_ms=float(p99),
        texts_a_second=len(texts) / together,
    )


def _clock(predict: Predict, texts: list[str]) -> float:
    started = time.perf_counter()
    predict(texts)
    return time.perf_counter() - started


def _measure_baselines(recipe: Recipe, splits: Splits, labels: Ints) -> list[Baseline]:
    train_labels = class_numbers(splits.train, recipe.labels)
    most = Counter(train_labels.tolist()).most_common(1)[0][0]
    majority = np.zeros((len(labels), len(recipe.labels)), dtype=np.float32)
    majority[:, most] = 1
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    regression = LogisticRegression(max_iter=1000, random_state=recipe.seed)
    regression.fit(words.fit_transform([row.text for row in splits.train]), train_labels)
    linear = regression.predict_proba(words.transform([row.text for row in splits.test]))
    return [
        Baseline(name="majority class", scores=_score(recipe, majority, labels)),
        Baseline(name="TF-IDF + logistic regression", scores=_score(recipe, linear, labels)),
    ]


def _slice_name(row: Row) -> str:
    return f"{row.source}/{row.slice}" if row.slice else ""


def _score_parts(recipe: Recipe, parts: list[str], probabilities: Floats, labels: Ints) -> dict[str, Scores]:
    names = np.array(parts)
    return {
        name: _score(recipe, probabilities[names == name], labels[names == name])
        for name in sorted(set(parts))
        if name
    }


def _run_examples(recipe: Recipe, folder: Path, file: str) -> list[ExampleResult]:
    predictions: list[Prediction] = Classifier(folder, file).classify([e.text for e in recipe.card.examples])
    return [
        ExampleResult(title=one.title, text=one.text, expected=one.expected, scores=found.scores)
        for one, found in zip(recipe.card.examples, predictions, strict=True)
    ]


def _find_mistakes(recipe: Recipe, rows: list[Row], labels: Ints, probabilities: Floats) -> list[Mistake]:
    """Return mistakes on rows of sources whose texts may be shown.

    They are taken at equal distances from all of them, in order of slice and confidence: a fair sample,
    neither the worst nor the best.
    """
    ours = {source.name for source in recipe.data.sources if source.show_texts}
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels).tolist()
    shown = sorted(
        (index for index in wrong if rows[index].source in ours),
        key=lambda index: (_slice_name(rows[index]), -float(probabilities[index].max()), index),
    )
    count = min(MISTAKES, len(shown))
    chosen = [shown[position * len(shown) // count] for position in range(count)]
    return [
        Mistake(
            text=rows[index].text,
            expected=rows[index].label,
            predicted=recipe.labels[int(probabilities[index].argmax())],
            score=float(probabilities[index].max()),
            slice=_slice_name(rows[index]),
        )
        for index in chosen
    ]


def _measure_behaviour(recipe: Recipe, rows: list[Row], classifier: Classifier) -> list[BehaviourRate]:
    """Return a rate a suite; nothing where the release does not know the labels that the suites expect."""
    suites = read_suites(rows)
    if not wanted_labels(suites) <= set(recipe.labels):
        return []
    return [
        BehaviourRate(
            name=one.name,
            measures=one.measures,
            n=one.n,
            passed=one.passed,
            rate=one.rate,
            low=one.low,
            high=one.high,
        )
        for one in run_suites(classifier, suites)
    ]


def _measure_abstention(recipe: Recipe, splits: Splits, folder: Path, default: _Measured) -> Abstention:
    """Fit the threshold of the default file on the validation rows, and try it on the test rows."""
    rows = splits.validation
    classifier = Classifier(folder, default.figures.file)
    probabilities = classifier.predict([row.text for row in rows], recipe.evaluation.batch_size)
    return measure_abstention(
        judge(probabilities, class_numbers(rows, recipe.labels)),
        judge(default.probabilities, class_numbers(splits.test, recipe.labels)),
        recipe.evaluation.abstain_error,
    )


def describe_machine() -> Machine:
    """Return what the figures were measured on."""
    processor, flags = _read_cpu()
    return Machine(
        processor=processor or platform.processor() or platform.machine(),
        cores=os.cpu_count() or 1,
        flags=[flag for flag in CPU_FLAGS if flag in flags],
        memory_bytes=psutil.virtual_memory().total,
        system=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        versions={name: version(name) for name in PACKAGES},
    )


def _read_cpu() -> tuple[str, set[str]]:
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return "", set()
    pairs = [line.partition(":") for line in path.read_text(encoding="utf-8").splitlines()]
    fields = {key.strip(): value.strip() for key, _, value in pairs}
    return fields.get("model name", ""), set(fields.get("flags", fields.get("Features", "")).split())

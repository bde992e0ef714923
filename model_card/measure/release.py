"""Measuring a release: all that metrics.json says, of files that passed the gate. Nothing is written here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from transformers import AutoConfig

from finsent.data.splits import Splits
from finsent.encoder.families import find_row
from finsent.memory import peak_memory
from finsent.onnx_files import choose_default
from finsent.recipe.recipe import Recipe
from finsent.training.report import TrainingReport
from inference.classifier import Classifier
from model_card.behaviour.suites import measure_behaviour
from model_card.explanations.measure import explain_release
from model_card.measure.abstention import Abstention, judge, measure_abstention
from model_card.measure.baselines import measure_baselines
from model_card.measure.beside_teacher import measure_beside_teacher
from model_card.measure.examples import find_mistakes, run_examples
from model_card.measure.machine import describe_machine
from model_card.measure.metrics_file import SCHEMA_VERSION, Metrics
from model_card.measure.runtimes import measure_handler
from model_card.measure.scores import class_numbers, score_parts, slice_name
from model_card.measure.seen_rows import measure_seen_rows
from model_card.measure.texts import measure_texts
from model_card.measure.variants import INVARIANCE_ROWS, GatedVariants, MeasuredVariant
from model_card.measure.weakness import find_weaknesses
from model_card.measure.words import read_card_words

PROTOCOL = (
    "Scores: all test rows, the label of the largest probability. Intervals: 95 % percentile bootstrap "
    "over rows. Latency: the first test rows one by one, one thread, tokenizer included, after a warm-up. "
    "Throughput: all test rows, sorted by length, in batches. Alone against batch: the first "
    f"{INVARIANCE_ROWS} test rows. PyTorch runs through transformers, ONNX through inference/classifier.py."
)


def measure_release(
    recipe: Recipe,
    splits: Splits,
    training: TrainingReport,
    folder: Path,
    licence: str,
    variants: GatedVariants,
    teachers: Sequence[Path] = (),
) -> Metrics:
    """Return all figures of the model in `folder`; those that are not a variant's are of the default file.

    `teachers` are the releases that it learnt from.
    """
    rows, labels = splits.test, class_numbers(splits.test, recipe.labels)
    default = variants.find(choose_default(one.figures.name for one in variants.released))
    classifier = Classifier(folder, default.figures.file)
    config = AutoConfig.from_pretrained(folder)
    examples = run_examples(recipe.card.examples, classifier)
    explained = explain_release(
        recipe,
        [row.text for row in rows],
        folder,
        default.figures.file,
        examples,
        find_mistakes(recipe, rows, default.probabilities),
    )
    metrics = Metrics(
        schema_version=SCHEMA_VERSION,
        recipe=recipe.name,
        recipe_sha256=recipe.fingerprint(),
        version=recipe.version,
        created=datetime.now(UTC).date().isoformat(),
        parameters=training.parameters,
        vocabulary=config.vocab_size,
        layers=config.num_hidden_layers + getattr(config, "num_decoder_layers", 0),
        hidden_size=config.hidden_size,
        positions=config.max_position_embeddings,
        licence=licence,
        protocol=PROTOCOL,
        default_variant=default.figures.name,
        data=splits.report,
        training=training,
        variants=[one.figures for one in variants.released],
        dropped=variants.dropped,
        baselines=measure_baselines(recipe, splits),
        by_source=score_parts(recipe, [row.source for row in rows], default.probabilities, labels),
        by_slice=score_parts(recipe, [slice_name(row) for row in rows], default.probabilities, labels),
        examples=explained.examples,
        mistakes=explained.mistakes,
        behaviour=measure_behaviour(recipe, classifier, rows),
        abstention=_measure_abstention(recipe, splits, classifier, default),
        texts=measure_texts(recipe, folder, rows, default.probabilities),
        seen_rows=measure_seen_rows(recipe, splits.train, classifier, judge(default.probabilities, labels)),
        explanations=explained.figures,
        beside_teacher=measure_beside_teacher(recipe, rows, teachers, default.probabilities),
        peak_memory_bytes=peak_memory(),
        words=read_card_words(recipe.card),
        runtimes=measure_handler(folder, examples),
        not_loaded_by=list(find_row(config).not_loaded_by),
        machine=describe_machine(),
    )
    return metrics.model_copy(update={"weak": find_weaknesses(metrics)})


def _measure_abstention(
    recipe: Recipe, splits: Splits, classifier: Classifier, default: MeasuredVariant
) -> Abstention:
    """Fit the threshold of the default file on the validation rows, and try it on the test rows."""
    rows = splits.validation
    probabilities = classifier.predict([row.text for row in rows], recipe.evaluation.batch_size)
    return measure_abstention(
        judge(probabilities, class_numbers(rows, recipe.labels)),
        judge(default.probabilities, class_numbers(splits.test, recipe.labels)),
        recipe.evaluation.abstain_error,
    )

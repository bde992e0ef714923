"""Compare a small pretrained T5 with the same T5 without pretraining, MiniLM of its size, and word counts.

python -m benchmarks.pretraining                    train what is missing in runs/, and write the page
python -m benchmarks.pretraining --tokens 2000000   also pretrain a T5 on fewer tokens

It writes benchmarks/pretraining.md. All models are trained on the training rows of
recipes/t5-market-news-mini.yaml and scored on its test rows, each with the default file of its release. The
encoder is made first if runs/ does not have it. Set FINSENT_MIRROR to the folder with the data sets. Runs of
the same recipe on the same rows are read and not repeated.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas
import typer
from transformers import T5ForConditionalGeneration

from benchmarks import slim_attention
from benchmarks.baselines import word_counts
from benchmarks.contenders import RECIPES, encoder_of, with_minilm, with_random_weights, with_tokens
from benchmarks.cross_validate import compare, run_fold, tabulate
from benchmarks.machine import tell_machine
from benchmarks.slim_attention import Comparison
from finsent import REPOSITORY
from finsent.cli import make_app, print_anywhere, tell_seconds
from finsent.errors import FinsentError
from finsent.mirror import mirror_from_environment
from finsent.preparation import prepare_splits
from finsent.pretraining.report import PretrainingReport, read_report
from finsent.pretraining.start import ensure_encoder
from finsent.recipe.file import load_recipe
from finsent.recipe.recipe import Recipe
from finsent.release import METRICS, EncoderRun
from finsent.scoring import bootstrap_mean, score
from model_card.measure.metrics_file import Metrics, read_metrics

app = make_app(__doc__)

OUTPUT = Path(__file__).with_name("pretraining.md")
HEAD, WORDS, MINILM, COUNTS = "T5, a head", "T5, text to text", "MiniLM of its size", "word counts"
BARE = ", not pretrained"
RESAMPLES, SEED, STEPS = 2000, 0, 64


@dataclass(frozen=True)
class Result:
    """Predictions for the test rows, as `run_fold` returns them; word counts have no metrics."""

    found: pandas.DataFrame
    metrics: Metrics | None = None


def list_contenders(runs: Path, tokens: list[int]) -> dict[str, Recipe]:
    """Return the recipes to compare, by what the page calls them; the encoder is in `runs`."""
    head, words = load_forms(runs)
    found = {HEAD: head, WORDS: words}
    found |= {f"{name}{BARE}": with_random_weights(recipe, runs) for name, recipe in found.items()}
    found |= {f"{HEAD}, {count:,} tokens": with_tokens(head, count) for count in tokens}
    return {**found, MINILM: with_minilm(head)}


def load_forms(runs: Path) -> tuple[Recipe, Recipe]:
    """Return the recipes of the small T5, with a head and text to text."""
    head, words = (RECIPES / f"t5-market-news-mini{form}.yaml" for form in ("", "-words"))
    return load_recipe(head, runs), load_recipe(words, runs)


def list_pairs(names: list[str]) -> list[tuple[str, str]]:
    """Return which of them to compare row by row."""
    pairs = [
        (HEAD, f"{HEAD}{BARE}"),
        (WORDS, f"{WORDS}{BARE}"),
        (HEAD, WORDS),
        (HEAD, MINILM),
        (HEAD, COUNTS),
    ]
    return [*pairs, *((HEAD, name) for name in names if name.endswith(" tokens"))]


def measure(recipe: Recipe, runs: Path) -> Result:
    """Make what a recipe starts from and the release, or read what is there, and return the predictions."""
    if recipe.base.recipe is not None:
        ensure_encoder(recipe.base.recipe, runs, mirror_from_environment(), resume=True)
    found = run_fold(recipe, runs)
    return Result(found, read_metrics(runs / recipe.name / "release" / METRICS))


def count_words(recipe: Recipe) -> Result:
    """Return what word counts, fitted to the training rows, say of the test rows."""
    splits = prepare_splits(recipe, mirror_from_environment())
    _, predict = word_counts(splits.train, recipe.labels)
    answers = np.asarray(predict([row.text for row in splits.test]))
    return Result(tabulate(recipe, splits.test, np.eye(len(recipe.labels))[answers]))


def tell_scores(results: Mapping[str, Result], labels: list[str]) -> Iterator[str]:
    """Yield a row for each: its size and speed, then accuracy and macro F1 by source."""
    sources = sorted(set(next(iter(results.values())).found["source"]))
    titles = [f"{name}, accuracy | {name}, macro F1" for name in sources]
    yield f"| What | Parameters | File | One text | {' | '.join(titles)} |"
    yield f"| --- | --- | --- | --- |{' --- |' * 2 * len(sources)}"
    for name, result in results.items():
        cells = [_tell_source(result.found[result.found["source"] == one], labels) for one in sources]
        yield f"| {' | '.join([name, *_tell_file(result.metrics), *cells])} |"


def _tell_file(metrics: Metrics | None) -> list[str]:
    if metrics is None:
        return ["", "", ""]
    file = metrics.variant(metrics.default_variant)
    size = f"{file.precision}, {file.bytes / 1e6:.1f} MB"
    return [f"{metrics.parameters / 1e6:.2f} M", size, f"{file.timing.p50_ms:.2f} ms"]


def _tell_source(rows: pandas.DataFrame, labels: list[str]) -> str:
    probabilities = rows[[f"p{index}" for index in range(len(labels))]].to_numpy()
    found = score(probabilities, rows["label"].to_numpy(), labels, RESAMPLES, SEED)
    accuracy, f1 = found.accuracy_interval, found.macro_f1_interval
    return (
        f"{found.accuracy:.3f} ({accuracy.low:.3f} to {accuracy.high:.3f}) "
        f"| {found.macro_f1:.3f} ({f1.low:.3f} to {f1.high:.3f})"
    )


def tell_pairs(results: Mapping[str, Result]) -> Iterator[str]:
    """Yield a row for every pair and source: who alone is right, the gain in accuracy, and McNemar's p."""
    yield "| The first | The second | Source | Only the first is right | Only the second | Gain | p |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for first, second in list_pairs(list(results)):
        one, other = results[first].found, results[second].found
        rows = one[one["row"].isin(other["row"])].drop_duplicates("row")["source"].value_counts()
        for source, (here, there, p) in sorted(compare(one, other).items()):
            gain = _tell_gain(here, there, int(rows[source]))
            yield f"| {first} | {second} | {source} | {here} | {there} | {gain} | {p:.2g} |"


def _tell_gain(here: int, there: int, rows: int) -> str:
    differences = np.repeat([1.0, -1.0, 0.0], [here, there, rows - here - there])
    interval = bootstrap_mean(differences, RESAMPLES, SEED)
    return f"{differences.mean():+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"


def tell_pretraining(report: PretrainingReport) -> Iterator[str]:
    """Yield what the encoder read, how fast, and what it reached."""
    fit, packing = report.fit, report.packing
    passes = fit.tokens / packing.tokens
    yield f"- {fit.parameters:,} parameters, {report.vocabulary:,} pieces, {report.texts.learnt:,} texts."
    yield f"- {fit.tokens:,} tokens to read in {fit.steps:,} steps, {passes:.2f} passes over the texts."
    yield (
        f"- {tell_seconds(fit.seconds)} from step {fit.resumed_at:,} on, {fit.tokens_a_second:,.0f} tokens a "
        f"second, {fit.threads} threads, {fit.precision}, {fit.peak_memory_bytes / 1e9:.1f} GB at most."
    )
    yield (
        f"- Padding: {100 * packing.padding_unpacked:.1f} % if every text had sequences of its own of "
        f"{packing.length} tokens, 0 % as they are packed; {packing.left_over:,} tokens are left over."
    )
    yield (
        f"- Loss on {packing.held_out_sequences:,} held-out sequences {fit.loss_before:.3f} before, "
        f"{fit.loss_after:.3f} after; perplexity {fit.perplexity_before:,.0f} and {fit.perplexity_after:.1f}."
    )
    yield "\n| Step | Tokens | Loss | Held-out loss |\n| --- | --- | --- | --- |"
    for point in fit.curve:
        tokens = point.step * fit.tokens / fit.steps
        yield f"| {point.step:,} | {tokens:,.0f} | {point.training_loss:.3f} | {point.held_out_loss:.3f} |"


def tell_cache(found: Comparison) -> Iterator[str]:
    """Yield what the decoder keeps with and without slim attention, on these weights."""
    yield (
        f"- {slim_attention.ROWS} rows, {STEPS} words written after {slim_attention.TOKENS} tokens: "
        f"{found.plain_bytes / 1e6:.2f} MB kept, {found.slim_bytes / 1e6:.2f} MB with slim attention."
    )
    same = "the same words" if found.same_words else "other words"
    yield (
        f"- Slim attention writes {same}, |Δlogit| {found.logit_difference:.1e}, in {found.slim_seconds:.2f} "
        f"s of the processor to {found.plain_seconds:.2f} s."
    )
    errors = ", ".join(f"{name} {value:.2g}" for name, value in found.value_errors.items())
    yield f"- Condition of W_K {min(found.conditions):,.0f} to {max(found.conditions):,.0f}."
    yield f"- Values made from rounded keys are off by, at worst and relative: {errors}."


def render(
    results: Mapping[str, Result], report: PretrainingReport, cache: Comparison, recipe: Recipe
) -> str:
    """Return the page."""
    rows = results[HEAD].found["source"].value_counts()
    tested = ", ".join(f"{name} {rows[name]:,}" for name in sorted(rows.index))
    lines = [
        "# A small T5 of one's own",
        "",
        "Generated by `python -m benchmarks.pretraining`. All are fitted on the same rows, for at most "
        f"{recipe.training.epochs:g} passes.",
        f"Test rows: {tested}. Not pretrained means: the tokenizer, and the random weights that the",
        f"pretraining began with. In brackets: 95 % intervals by bootstrap over rows, {RESAMPLES:,} times.",
        "There is one seed of each, so how far another seed would be is not in the intervals.",
        "One text: the median on one thread, as each release was measured when it was made.",
        "",
        *tell_scores(results, recipe.labels),
        "",
        "## Row by row",
        "",
        "The gain is that in accuracy, with its interval by bootstrap over pairs; p is McNemar's, exact.",
        "",
        *tell_pairs(results),
        "",
        "## The pretraining",
        "",
        *tell_pretraining(report),
        "",
        "## What a decoder keeps",
        "",
        *tell_cache(cache),
        "",
        *tell_machine(),
    ]
    return "\n".join(lines) + "\n"


def run(runs: Path, tokens: list[int]) -> str:
    """Measure all and return the page. FinsentError: pretrain.py or train.py fails."""
    head, _ = load_forms(runs)
    ensure_encoder(encoder_of(head), runs, mirror_from_environment(), resume=True)
    contenders = list_contenders(runs, tokens)
    results = {name: measure(recipe, runs) for name, recipe in contenders.items()}
    results[COUNTS] = count_words(head)
    encoder = EncoderRun(runs / encoder_of(head).name).encoder
    model = T5ForConditionalGeneration.from_pretrained(encoder).eval()
    return render(results, read_report(encoder), slim_attention.compare(model, STEPS), head)


@app.command(help=app.info.help)
def main(
    runs: Annotated[Path, typer.Option(help="folder with the runs")] = REPOSITORY / "runs",
    tokens: Annotated[
        list[int] | None, typer.Option(help="also pretrain on this many tokens; repeatable")
    ] = None,
) -> None:
    """Fit what is missing, then print and write the page."""
    try:
        page = run(runs, tokens or [])
    except (FinsentError, OSError) as error:
        print(f"pretraining: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    OUTPUT.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    print_anywhere()
    app()

"""A pretraining in words: lines for a run, and the page in the encoder's folder."""

from __future__ import annotations

from collections.abc import Iterator

from finsent.cli import tell_seconds
from finsent.pretraining.report import PackingFigures, PretrainingReport, TextFigures
from finsent.yaml_dialects import dump_yaml

OBJECTIVES = {
    "mlm": "masked language modelling of whole words",
    "span": "span corruption, as of T5",
}


def tell_texts(found: TextFigures) -> Iterator[str]:
    """Yield what stayed of the texts, and what went for which reason."""
    for name, one in found.sources.items():
        left = "".join(f", {count:,} {reason}" for reason, count in one.left_out.items())
        lines = f", {one.repeated_lines:,} repeated lines taken out" if one.repeated_lines else ""
        told = f"{one.texts:,} texts of {one.characters:,} characters"
        yield f"  {name}: {told}{lines}; left out: {left[2:] or 0}"
    yield f"  copies left out: {found.copies:,}, and {found.near_copies:,} that begin nearly as another"
    if (kept := found.protection) is not None:
        yield (
            f"  near to {kept.rows:,} rows of {', '.join(kept.recipes)}: {kept.sentences_taken_out:,} "
            f"sentences taken out of {kept.texts_touched:,} texts; {found.emptied:,} texts have none left"
        )
    yield f"  texts: {found.learnt:,} to learn, {found.held_out:,} held out"


def tell_packing(found: PackingFigures) -> str:
    """Return how the tokens stand in sequences."""
    return (
        f"  {found.tokens:,} tokens in {found.sequences:,} sequences of {found.length} without padding, "
        f"{found.left_over:,} left over; texts in sequences of their own would be "
        f"{100 * found.padding_unpacked:.1f} % padding"
    )


def summarize(report: PretrainingReport) -> str:
    """Return what a run prints at its end."""
    fit = report.fit
    return "\n".join(
        [
            f"{report.name}: {fit.parameters:,} parameters, {report.vocabulary:,} pieces, {report.licence}",
            f"  held-out perplexity {fit.perplexity_before:.2f} before, {fit.perplexity_after:.2f} after "
            f"(loss {fit.loss_before:.3f}, {fit.loss_after:.3f})",
            f"  {fit.tokens:,} tokens in {fit.steps:,} steps, {tell_seconds(fit.seconds)}, "
            f"{fit.tokens_a_second:,.0f} tokens a second with {fit.threads} threads in {fit.precision}",
            f"  peak memory {fit.peak_memory_bytes / 1e9:.1f} GB",
        ]
    )


def write_page(report: PretrainingReport) -> str:
    """Return README.md of an encoder's folder: what it is, what it learnt from, and how far it got."""
    front = {"license": report.licence, "library_name": "transformers"}
    front |= {"base_model": report.base} if report.base else {}
    return f"---\n{dump_yaml(front)}---\n" + "\n".join([*_page(report), ""])


def _page(report: PretrainingReport) -> Iterator[str]:
    fit, start = report.fit, report.base or "random weights"
    yield f"# {report.name}\n"
    yield f"An encoder pretrained by {OBJECTIVES[report.objective]}, from {start}, with finsent.\n"
    yield "| Texts | Licence | Used | Characters |\n| --- | --- | --- | --- |"
    for one in report.texts.sources.values():
        title = one.title.replace("|", "\\|")
        yield f"| {title} | `{one.licence}` | {one.texts:,} | {one.characters:,} |"
    yield "\n| | Before | After |\n| --- | --- | --- |"
    yield f"| Loss on held-out texts | {fit.loss_before:.3f} | {fit.loss_after:.3f} |"
    yield f"| Perplexity | {fit.perplexity_before:.2f} | {fit.perplexity_after:.2f} |"
    if fit.head_steps:
        yield f"\nBefore means: with a head for words that was fitted alone for {fit.head_steps:,} steps."
    size = f"{fit.parameters:,} parameters, {report.vocabulary:,} pieces"
    yield f"\n{fit.tokens:,} tokens, {fit.steps:,} steps, {size}."
    if (guard := report.texts.protection) is not None:
        rows = f"{guard.rows:,} labelled rows of {', '.join(guard.recipes)}"
        yield f"\nNo sentence near to one of {rows} was learnt: {guard.sentences_taken_out:,} were taken out."
    yield "\nAll figures: `pretraining.json`. The recipe: `recipe.yaml`."

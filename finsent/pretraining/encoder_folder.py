"""The folder of an encoder: what transformers reads, and beside it how the encoder was made."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from finsent.cli import say
from finsent.errors import BaseModelError, DataError, FinsentError
from finsent.pretraining.model import Model
from finsent.pretraining.protection import write_protected
from finsent.pretraining.report import FitFigures, PackingFigures, PretrainingReport, read_report
from finsent.pretraining.telling import write_page
from finsent.pretraining.texts import PretrainingTexts, fingerprint_files
from finsent.recipe.file import dump_recipe
from finsent.recipe.pretraining import Pretraining
from finsent.release import CARD, PRETRAINING, RECIPE, TOKENIZER, WEIGHTS, EncoderRun, sha256

LIBRARIES = ("torch", "transformers", "tokenizers")


def save_encoder(
    recipe: Pretraining,
    model: Model,
    texts: PretrainingTexts,
    packing: PackingFigures,
    fit: FitFigures,
    folder: Path,
) -> PretrainingReport:
    """Write weights and config beside the tokenizer in `folder`, and what is known of their making."""
    model.model.config._name_or_path = recipe.encoder_hub  # never a path of this machine
    model.model.save_pretrained(folder, state_dict={**model.model.state_dict(), **model.kept})
    (folder / WEIGHTS).chmod(0o644)  # safetensors writes for its owner alone
    write_protected(texts.rows, folder, texts.protected_before)
    report = PretrainingReport(
        name=recipe.name,
        objective=recipe.objective,
        hub=recipe.encoder_hub,
        base=recipe.base.hub if recipe.base else None,
        licence=recipe.licence,
        recipe=recipe.fingerprint(),
        weights=sha256(folder / WEIGHTS),
        tokenizer=sha256(folder / TOKENIZER) if (folder / TOKENIZER).is_file() else "",
        vocabulary=int(model.model.config.vocab_size),
        texts=texts.figures,
        packing=packing,
        fit=fit,
        versions={name: version(name) for name in LIBRARIES},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    (folder / PRETRAINING).write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
    (folder / RECIPE).write_text(dump_recipe(recipe, folder.with_name("encoder")), encoding="utf-8")
    (folder / CARD).write_text(write_page(report), encoding="utf-8")
    return report


def was_pretrained_by(run: EncoderRun, recipe: Pretraining, mirror: Path | None) -> bool:
    """Tell whether a recipe and the files of its sources would make the encoder of a run again.

    Where a file is no longer to be had, the recipe alone decides, and that is said.
    """
    if not (run.encoder / PRETRAINING).is_file():
        return False
    try:
        report = read_report(run.encoder)
    except FinsentError:  # of another version of finsent
        return False
    if report.recipe != recipe.fingerprint():
        return False
    try:
        return report.texts.fingerprint == fingerprint_files(recipe, mirror)
    except (BaseModelError, DataError) as error:
        say(f"  caution: {recipe.name} is used as it is; whether its files have changed is unknown: {error}")
        return True

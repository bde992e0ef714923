"""Pretrain an encoder on texts without labels. The recipe of a classifier can then start from it.

python pretrain.py recipes/encoders/finsent-domain-encoder.yaml    make runs/finsent-domain-encoder/encoder
python pretrain.py recipes/encoders/x.yaml --resume                continue after an interruption
torchrun --nproc-per-node 2 pretrain.py recipes/encoders/x.yaml    two processes, or two GPUs
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")  # read when datasets is imported

from finsent import options
from finsent.claim import claimed
from finsent.cli import make_app, print_anywhere, quiet_libraries, reporting_errors, say, stage
from finsent.encoder.find import find_weights
from finsent.licences import pretraining_licence
from finsent.mirror import mirror_from_environment
from finsent.pretraining.encoder_folder import save_encoder, was_pretrained_by
from finsent.pretraining.examples import plan_gaps, prepare_material
from finsent.pretraining.fit import fit_encoder
from finsent.pretraining.model import prepare_model
from finsent.pretraining.report import read_report
from finsent.pretraining.telling import summarize, tell_packing, tell_texts
from finsent.pretraining.texts import prepare_texts
from finsent.pretraining.tokens import check_gaps, prepare_reader
from finsent.recipe.file import load_pretraining
from finsent.recipe.pretraining import Pretraining
from finsent.release import RUNS, EncoderRun
from finsent.training.distributed import check_share, dismiss_others, gathered, tell_processes

app = make_app(__doc__)


def pretrain(recipe: Pretraining, run: EncoderRun, resume: bool = False) -> Path:
    """Make the encoder of a recipe and return its folder, or raise and leave what stood there before."""
    check_share(recipe.training.batch_size)
    mirror = mirror_from_environment()
    pretraining_licence(recipe)  # so that a licence that the texts forbid fails now, not after the training
    if recipe.objective == "span":
        check_gaps(plan_gaps(recipe).gaps)
    if recipe.base is not None:
        find_weights(recipe.base, recipe.home, mirror)
    stage(f"texts: {', '.join(source.name for source in recipe.data.sources)}")
    texts = prepare_texts(recipe, mirror)
    for line in tell_texts(texts.figures):
        say(line)
    staging = run.start()
    stage(f"tokenizer: {f'trained, {recipe.tokenizer.kind}' if recipe.tokenizer else 'kept'}")
    reader = prepare_reader(recipe, texts.learnt, mirror, staging)
    material = prepare_material(recipe, texts, reader)
    say(tell_packing(material.figures))
    stage(f"model: {recipe.base.hub if recipe.base else 'random weights'}")
    model = prepare_model(recipe, reader, mirror)
    stage(f"pretraining: {recipe.objective}, {model.parameters:,} parameters{tell_processes()}")
    owner = recipe.fingerprint() + texts.digest()
    fit = fit_encoder(recipe, model, material, run.checkpoints, owner, resume)
    dismiss_others()
    save_encoder(recipe, model, texts, material.figures, fit, staging)
    return run.finish()


@app.command(help=app.info.help)
def main(
    recipe_file: options.PretrainingFile,
    runs: options.Runs = RUNS,
    resume: options.Resume = False,
    if_missing: options.IfMissing = False,
) -> None:
    """Make one encoder; exit 1 with one line when something is wrong."""
    quiet_libraries()
    with reporting_errors("run again with --resume to continue"), gathered() as first:
        if not first:
            return
        recipe = load_pretraining(recipe_file)
        run = EncoderRun(runs / recipe.name)
        with claimed(run.folder, wait=if_missing):
            if not (if_missing and was_pretrained_by(run, recipe, mirror_from_environment())):
                pretrain(recipe, run, resume)
        print(summarize(read_report(run.encoder)))


if __name__ == "__main__":
    print_anywhere()
    app()

"""Starting pretrain.py for a recipe that needs its encoder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from finsent import REPOSITORY
from finsent.cli import stage
from finsent.errors import FinsentError
from finsent.pretraining.encoder_folder import was_pretrained_by
from finsent.recipe.file import dump_recipe
from finsent.recipe.pretraining import Pretraining
from finsent.release import RECIPE, EncoderRun


def ensure_encoder(recipe: Pretraining, runs: Path, mirror: Path | None, resume: bool = False) -> None:
    """Have an encoder made in a process of its own, unless this recipe and these texts made the one there.

    Recipes that start from it at the same time wait for each other there. Raises FinsentError.
    """
    run = EncoderRun(runs / recipe.name)
    if was_pretrained_by(run, recipe, mirror):
        return
    stage(f"encoder: {recipe.name}")
    run.folder.mkdir(parents=True, exist_ok=True)
    file = run.folder / RECIPE
    file.write_text(dump_recipe(recipe, run.folder.absolute()), encoding="utf-8")
    command = [sys.executable, "pretrain.py", str(file.absolute()), "--runs", str(runs.absolute())]
    command += ["--if-missing", *(["--resume"] if resume else [])]
    if subprocess.run(command, cwd=REPOSITORY, stdout=sys.stderr, check=False).returncode:
        raise FinsentError(f"base.recipe: pretrain.py could not make {recipe.name}; its last line says why")

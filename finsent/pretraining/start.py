"""Starting pretrain.py for a recipe that needs its encoder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from finsent import REPOSITORY
from finsent.cli import say, stage
from finsent.environment import environment_alone
from finsent.errors import FinsentError
from finsent.pretraining.encoder_folder import was_pretrained_by
from finsent.recipe.file import dump_recipe
from finsent.recipe.pretraining import Pretraining
from finsent.release import RECIPE, EncoderRun
from finsent.training.distributed import count_processes


def ensure_encoder(recipe: Pretraining, runs: Path, mirror: Path | None, resume: bool = False) -> None:
    """Have an encoder made in a process of its own, unless this recipe and these texts made the one there.

    Recipes that start from it at the same time wait for each other there. Raises FinsentError.
    """
    run = EncoderRun(runs / recipe.name)
    if was_pretrained_by(run, recipe, mirror):
        return
    stage(f"encoder: {recipe.name}")
    if count_processes() > 1:
        say("  one process makes it alone; to share that too, start pretrain.py with torchrun before")
    run.folder.mkdir(parents=True, exist_ok=True)
    file = run.folder / RECIPE
    file.write_text(dump_recipe(recipe, run.folder.absolute()), encoding="utf-8")
    command = [sys.executable, "pretrain.py", str(file.absolute()), "--runs", str(runs.absolute())]
    command += ["--if-missing", *(["--resume"] if resume else [])]
    alone = environment_alone()
    if subprocess.run(command, cwd=REPOSITORY, env=alone, stdout=sys.stderr, check=False).returncode:
        raise FinsentError(
            f"base.recipe: pretrain.py could not make {recipe.name}; its last line says why. "
            f"To begin it anew: python pretrain.py {file} --runs {runs}"
        )

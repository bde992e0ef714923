"""The folder that training is resumed from: whose checkpoints it holds, and which of them is whole."""

from __future__ import annotations

import shutil
from pathlib import Path

from transformers import TrainerState
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import get_last_checkpoint

from finsent.errors import FinsentError

OWNER = "recipe.sha256"  # which recipe and rows the checkpoints beside it belong to


def claim_folder(folder: Path, owner: str, resume: bool) -> None:
    """Note whose checkpoints the folder holds, and empty it unless the run is resumed.

    Raises FinsentError if a resumed run would mix two recipes, or other rows.
    """
    mark = folder / OWNER
    if resume and mark.is_file() and mark.read_text(encoding="utf-8") != owner:
        raise FinsentError(
            f"{folder}: these checkpoints belong to another recipe or other rows; run again without --resume"
        )
    if not resume and folder.is_dir():
        for old in folder.glob("checkpoint-*"):
            shutil.rmtree(old)
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(owner, encoding="utf-8")


def last_whole_checkpoint(folder: Path) -> str | None:
    """Return the newest checkpoint that was written to its end; half a one, of a full disk, goes away."""
    found: str | None = get_last_checkpoint(str(folder))
    if found is None:
        return None
    try:
        TrainerState.load_from_json(str(Path(found) / TRAINER_STATE_NAME))  # written last
    except (OSError, ValueError):
        shutil.rmtree(found)
        return last_whole_checkpoint(folder)
    return found

"""A release: a folder that is a Hub repository, byte for byte. File names are here and in onnx_files.py.

It is filled under another name and renamed when it is whole, so a folder called release is never a half one.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast

from finsent.errors import ReleaseError
from finsent.onnx_files import FP32

RUNS = Path("runs")  # where the stories look for runs, and leave them, when nothing else is said
WEIGHTS = "model.safetensors"
CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
SPECIAL_TOKENS = "special_tokens_map.json"
METRICS = "metrics.json"
RECIPE = "recipe.yaml"
PRETRAINING = "pretraining.json"  # of an encoder: what its making took and reached
PROTECTED = "protected.txt"  # of an encoder: the rows that no text was near to, a hash a line
CARD = "README.md"
HANDLER = "handler.py"
REQUIREMENTS = "requirements.txt"
CONFUSION_FIGURE = "figures/confusion.png"
RELIABILITY_FIGURE = "figures/reliability.png"
COVERAGE_FIGURE = "figures/coverage.png"  # not in releases from before there was a threshold
LEARNING_FIGURE = "figures/learning.png"  # neither this nor those below, from before they were measured
EXAMPLES_FIGURE = "figures/explained_examples.png"
MISTAKES_FIGURE = "figures/explained_mistakes.png"
ATTENTION_FIGURE = "figures/attention.png"
ABSTAIN_BELOW = "finsent_abstain_below"  # a key of config.json; libraries keep keys that they do not know
SLIM = "finsent_slim_attention"  # another: ONNX files make the decoder's values from its keys
FIRST_STEP = "finsent_first_step"  # another: logits are those of the decoder's first step

# What Inference Endpoints run, all or none; not in releases from before there was a handler.
ENDPOINT_FILES = (HANDLER, REQUIREMENTS, "inference/__init__.py", "inference/classifier.py")
TRANSFORMERS_FILES = (CONFIG, WEIGHTS, TOKENIZER, TOKENIZER_CONFIG, SPECIAL_TOKENS)
ALWAYS = (
    *TRANSFORMERS_FILES,
    FP32.path,
    METRICS,
    RECIPE,
    CARD,
    CONFUSION_FIGURE,
    RELIABILITY_FIGURE,
)


@dataclass(frozen=True)
class _Making:
    """A folder below runs/: something in the making, which takes its place when it is whole."""

    folder: Path
    PLACE: ClassVar[str]

    @property
    def made(self) -> Path:
        """Where it is when it is whole."""
        return self.folder / self.PLACE

    @property
    def staging(self) -> Path:
        """It in the making."""
        return self.made.with_name(f"{self.made.name}.partial")

    @property
    def checkpoints(self) -> Path:
        """What training goes on from after an interruption."""
        return self.folder / "checkpoints"

    def start(self) -> Path:
        """Return an empty staging folder."""
        shutil.rmtree(self.staging, ignore_errors=True)
        self.staging.mkdir(parents=True)
        return self.staging

    def finish(self) -> Path:
        """Put the staging folder in its place."""
        _put_in_place(self.staging, self.made)
        shutil.rmtree(self.checkpoints, ignore_errors=True)
        return self.made


class Run(_Making):
    """The folder of one recipe."""

    PLACE = "release"

    @property
    def release(self) -> Path:
        """The Hub repository."""
        return self.made

    def finish(self) -> Path:
        """Put the staging folder in the place of the release; ReleaseError if files are missing."""
        if missing := missing_files(self.staging):
            raise ReleaseError(f"{self.staging}: not released, {', '.join(missing)} missing")
        return super().finish()


class EncoderRun(_Making):
    """The folder of one pretraining."""

    PLACE = "encoder"

    @property
    def encoder(self) -> Path:
        """A folder as transformers saves it, with what is known of its making."""
        return self.made


def _put_in_place(made: Path, place: Path) -> None:
    """Rename a folder that is whole; what stood in its place goes last."""
    old = place.with_name(f"{place.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    made.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def missing_files(folder: Path) -> list[str]:
    """Return the names of files that every release has and this folder lacks."""
    return [name for name in ALWAYS if not (folder / name).is_file()]


def write_threshold(folder: Path, threshold: float | None) -> None:
    """Write into config.json below which probability to abstain; with None the key is left out."""
    path = folder / CONFIG
    tree = json.loads(path.read_text(encoding="utf-8"))
    tree.pop(ABSTAIN_BELOW, None)
    if threshold is not None:
        tree[ABSTAIN_BELOW] = threshold
    path.write_text(json.dumps(tree, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def read_labels(folder: Path) -> list[str]:
    """Return the label names of a saved model, in the order of its logits."""
    id2label = json.loads((folder / CONFIG).read_text(encoding="utf-8"))["id2label"]
    return [cast("str", id2label[str(index)]) for index in range(len(id2label))]


def sha256(path: Path) -> str:
    """Return the hex digest of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

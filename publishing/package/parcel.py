"""What one push carries: a folder made ready for its repository, with what plan, commit and proof need."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from finsent import REPOSITORY
from finsent.onnx_files import ONNX_FILES
from finsent.recipe.file import address_recipe, read_released_recipe
from finsent.release import CARD, METRICS, RECIPE, Run, missing_files
from model_card.measure.metrics import Metrics, read_metrics
from publishing.errors import LintError
from publishing.hub.remote import Target
from publishing.package.manifest import Manifest, read_folder
from publishing.space.forms import Subject

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Parcel:
    """A folder for a repository. `run` keeps the receipts; `version` None means that nothing is tagged."""

    folder: Path
    run: Path
    target: Target
    manifest: Manifest
    version: str | None
    metrics: Metrics | None

    @property
    def tag(self) -> str | None:
        """The tag of this version, on the main branch alone."""
        return f"v{self.version}" if self.version and self.target.revision == "main" else None


def pack_release(run: Path, target: Target, space_id: str | None, progress: Progress | None = None) -> Parcel:
    """Make a run's release ready for a repository; LintError when it is not whole."""
    release = Run(run).release
    if not release.is_dir():
        raise LintError(f"{release}: is not there; make it with train.py")
    if missing := missing_files(release):
        raise LintError(f"{release}: {', '.join(missing)} missing; run train.py again")
    folder = address_release(release, target.repo_id, space_id, run / "outbox" / "model")
    manifest = read_folder(folder, "model", progress)
    metrics = read_metrics(folder / METRICS)
    return Parcel(folder, run, target, manifest, metrics.version, metrics)


def subject_of(parcel: Parcel) -> Subject:
    """Return what the Space of a release says of it, in the recipe's words; its commit is not known yet."""
    assert parcel.metrics is not None, "a data set has no Space"
    card = read_released_recipe(parcel.folder / RECIPE).card
    return Subject(
        model=parcel.target.repo_id,
        title=card.title,
        summary=card.summary,
        licence=parcel.metrics.licence,
        dtype=ONNX_FILES[parcel.metrics.default_variant].dtype,
    )


def pack_dataset(folder: Path, target: Target, runs: Path, progress: Progress | None = None) -> Parcel:
    """Make a data set's folder ready; its receipts go below `runs`, out of git."""
    manifest = read_folder(folder, "dataset", progress)
    return Parcel(folder, runs / f"dataset-{folder.resolve().name}", target, manifest, None, None)


def address_release(release: Path, repo_id: str, space_id: str | None, outbox: Path) -> Path:
    """Return a folder whose card and recipe name the repository that it goes to.

    It is the release itself where its recipe says so already. Otherwise the big files are linked, not copied,
    and the ids in README.md and recipe.yaml are replaced; the release stays as it is.
    """
    recipe = read_released_recipe(release / RECIPE)
    space_id = space_id or recipe.hub.space
    if (recipe.hub.model, recipe.hub.space) == (repo_id, space_id):
        return release
    shutil.rmtree(outbox, ignore_errors=True)
    for path in sorted(release.rglob("*")):
        if path.is_file() and path.name not in (CARD, RECIPE):
            _link(path, outbox / path.relative_to(release))
    ids = {recipe.hub.model: repo_id, recipe.hub.space: space_id}
    text = (release / CARD).read_text(encoding="utf-8")
    (outbox / CARD).write_text(_rename(text, ids), encoding="utf-8", newline="\n")
    (outbox / RECIPE).write_text(address_recipe(release / RECIPE, repo_id, space_id), encoding="utf-8")
    return outbox


def _rename(text: str, ids: dict[str, str]) -> str:
    """Replace whole ids in one pass, so that neither a longer name nor a replaced one is met again."""
    names = "|".join(re.escape(name) for name in sorted(ids, key=len, reverse=True))
    return re.sub(rf"(?<![\w.-])({names})(?![\w-])", lambda match: ids[match[1]], text)


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)


def release_notes(version: str | None, changelog: Path = REPOSITORY / "CHANGELOG.md") -> str:
    """Return what the changelog says of a version, of what is unreleased where it has no such heading."""
    if not changelog.is_file():
        return ""
    text = changelog.read_text(encoding="utf-8")
    for name in (version or "", "Unreleased"):
        match = re.search(rf"^## \[?{re.escape(name)}\]?(?: .*)?\n([\s\S]*?)(?=^## |\Z)", text, re.MULTILINE)
        if name and match:
            return match[1].strip()
    return ""

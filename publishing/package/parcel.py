"""What one push carries: a folder made ready for its repository, with what plan, commit and proof need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from finsent.cli import byte_bar, stage
from finsent.recipe.file import read_released_recipe
from finsent.release import METRICS, RECIPE, RUNS, Run, missing_files
from model_card.measure.metrics_file import Metrics, read_metrics
from publishing.errors import LintError
from publishing.hub.remote import Target
from publishing.package.address import address_release
from publishing.package.commit_message import release_notes
from publishing.package.manifest import Manifest, read_folder, refuse_links
from publishing.space.forms import Subject
from publishing.space.subject import describe_subject

OUTBOX = Path("outbox", "model")  # in a run's folder: a release as it was last addressed elsewhere
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
    notes: str = ""
    """What the commit and the tag say of this release."""

    @property
    def tag(self) -> str | None:
        """The tag of this version, on the main branch alone."""
        return f"v{self.version}" if self.version and self.target.revision == "main" else None


def pack(folder: Path, target: Target, space_id: str | None) -> Parcel:
    """Hash what is sent of a run, or of a data set's folder, with a bar on a terminal."""
    stage(f"lint: {folder}")
    is_dataset = target.repo_type == "dataset"
    files = (folder if is_dataset else Run(folder).release).rglob("*")
    with byte_bar("hashing", sum(path.stat().st_size for path in files if path.is_file())) as progress:
        if is_dataset:
            return pack_dataset(folder, target, RUNS, progress)
        return pack_release(folder, target, space_id, progress)


def pack_release(run: Path, target: Target, space_id: str | None, progress: Progress | None = None) -> Parcel:
    """Make a run's release ready for a repository; LintError if it is not whole."""
    release = Run(run).release
    if not release.is_dir():
        raise LintError(f"{release}: does not exist; build it with train.py")
    refuse_links(release, "model")
    if missing := missing_files(release):
        raise LintError(f"{release}: {', '.join(missing)} missing; run train.py again")
    folder = address_release(release, target.repo_id, space_id, run / OUTBOX)
    manifest = read_folder(folder, "model", progress)
    metrics = read_metrics(folder / METRICS)
    notes = release_notes(read_released_recipe(folder / RECIPE), metrics)
    return Parcel(folder, run, target, manifest, metrics.version, metrics, notes)


def subject_of(parcel: Parcel) -> Subject:
    """Return what the Space of a release says of it, in the recipe's words; its commit is not known yet."""
    assert parcel.metrics is not None, "a data set has no Space"
    recipe = read_released_recipe(parcel.folder / RECIPE)
    return describe_subject(recipe, parcel.metrics, parcel.target.repo_id)


def pack_dataset(folder: Path, target: Target, runs: Path, progress: Progress | None = None) -> Parcel:
    """Make a data set's folder ready; its receipts go below `runs`, out of git."""
    manifest = read_folder(folder, "dataset", progress)
    return Parcel(folder, runs / f"dataset-{folder.resolve().name}", target, manifest, None, None)

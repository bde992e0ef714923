"""What is wrong with a release, found offline, before a single byte is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import yaml

from finsent.errors import FinsentError
from finsent.licences import recipe_licence
from finsent.recipe.file import read_released_recipe
from finsent.recipe.recipe import Recipe
from finsent.release import (
    ABSTAIN_BELOW,
    CARD,
    CONFIG,
    ENDPOINT_FILES,
    HANDLER,
    METRICS,
    RECIPE,
    missing_files,
)
from finsent.yaml_dialects import find_ambiguities
from model_card.card.document import split_card
from model_card.lint.card import lint_card
from model_card.lint.metadata import lint_block, read_metadata
from model_card.lint.problem import Problem
from model_card.measure.metrics_file import Metrics, read_metrics
from publishing.errors import LintError
from publishing.package.manifest import Manifest
from publishing.package.secrets import find_leaks
from publishing.space.forms import ENTRY

LARGEST_FILE = 50 * 10**9  # bytes; the Hub's hard limit for one file
SPACE_SDKS = ("gradio", "static")
LONGEST_DESCRIPTION = 60  # characters of a Space's short_description


def check_manifest(manifest: Manifest, folder: Path, token: str | None = None) -> None:
    """Raise LintError with every problem of a folder, one a line."""
    problems = [*_sizes(manifest), *find_leaks(manifest, token)]
    if manifest.repo_type == "model":
        problems += lint_release(manifest, folder)
    elif manifest.repo_type == "dataset":
        problems += lint_dataset(manifest)
    else:
        problems += lint_space(manifest)
    if problems:
        raise LintError(f"{folder}: not sent\n" + "\n".join(f"  {problem}" for problem in problems))


def _sizes(manifest: Manifest) -> Iterator[str]:
    for file in manifest.files.values():
        if file.size == 0:
            yield f"{file.path}: is empty"
        if file.size > LARGEST_FILE:
            yield f"{file.path}: has {file.size / 1e9:.0f} GB, a Hub allows {LARGEST_FILE / 1e9:.0f} GB"


def lint_release(manifest: Manifest, folder: Path) -> list[str]:
    """Return what is wrong with a model's folder: files, hashes, card, licence."""
    if missing := missing_files(folder):
        return [f"{name}: missing; run train.py" for name in missing]
    try:
        recipe, metrics = read_released_recipe(folder / RECIPE), read_metrics(folder / METRICS)
    except FinsentError as error:
        return [str(error)]
    return [
        *_measured_files(manifest, metrics),
        *_threshold(manifest, metrics),
        *_endpoint_files(manifest, metrics),
        *_licence(recipe, metrics),
        *_ambiguous_values(manifest),
        *_lint_text(manifest, lambda text: lint_card(text, metrics, folder, recipe)),
    ]


def check_merged_card(manifest: Manifest, folder: Path, target: object) -> None:
    """Raise LintError if a card that was merged with one of the Hub is none that may be sent."""
    if manifest.repo_type == "dataset":
        problems = lint_dataset(manifest)
    else:
        problems = _lint_text(manifest, lambda text: lint_card(text, read_metrics(folder / METRICS), folder))
    if problems:
        told = "\n".join(f"  {problem}" for problem in problems)
        raise LintError(
            f"{target}: not sent, because the merged {CARD} fails its checks\n{told}\n"
            "fix it on the Hub, or choose --card=ours or --card=theirs"
        )


def _lint_text(manifest: Manifest, lint: Callable[[str], Iterable[Problem]]) -> list[str]:
    """Return what a linter says of the card that is sent, byte for byte."""
    try:
        text = manifest.content(CARD).decode("utf-8")
    except UnicodeDecodeError as error:
        return [f"{CARD}: is not UTF-8 ({error}); save it as UTF-8"]
    return [str(problem) for problem in lint(text)]


def _ambiguous_values(manifest: Manifest) -> Iterator[str]:
    node = yaml.compose(manifest.content(RECIPE).decode("utf-8"), yaml.SafeLoader)
    for one in find_ambiguities(node) if node else ():
        yield f"{RECIPE}:{one.line + 1}: {one}"


def _measured_files(manifest: Manifest, metrics: Metrics) -> Iterator[str]:
    measured = {variant.file: variant.sha256 for variant in metrics.variants}
    for name, sha256 in measured.items():
        if name not in manifest.files:
            yield f"{name}: was measured but is missing"
        elif manifest.files[name].sha256 != sha256:
            yield f"{name}: is not the file that was measured (its sha256 differs); run train.py"
    for name in manifest.files:
        if name.endswith(".onnx") and name not in measured:
            yield f"{name}: was never measured; delete it or run train.py"


def _threshold(manifest: Manifest, metrics: Metrics) -> Iterator[str]:
    written = json.loads(manifest.content(CONFIG)).get(ABSTAIN_BELOW)
    fitted = metrics.abstention.threshold if metrics.abstention else None
    if written != fitted:
        yield f"{CONFIG}: {ABSTAIN_BELOW} is {written}, {METRICS} says {fitted}; run train.py"


def _endpoint_files(manifest: Manifest, metrics: Metrics) -> Iterator[str]:
    """Yield what is missing beside a handler, and a handler that was run but is gone."""
    if HANDLER in manifest.files or metrics.run_of(HANDLER):
        for name in ENDPOINT_FILES:
            if name not in manifest.files:
                yield f"{name}: missing, so {HANDLER} cannot run on Inference Endpoints; run train.py"


def _licence(recipe: Recipe, metrics: Metrics) -> Iterator[str]:
    try:
        combined = recipe_licence(recipe)
    except FinsentError as error:
        yield f"{RECIPE}: {error}"
        return
    if metrics.licence != combined.id:
        yield f"{METRICS}: says {metrics.licence}, but the sources require {combined.id}; run train.py"


def lint_dataset(manifest: Manifest) -> list[str]:
    """Return what is wrong with a data set's folder: a card with licence and the files that it configures."""
    if CARD not in manifest.files:
        return [f"{CARD}: is missing; a data set needs one, with a YAML block between --- lines at its start"]
    problems = _lint_text(manifest, lambda text: lint_block(split_card(text)))
    metadata = read_manifest_metadata(manifest)
    if metadata is None:
        return problems
    if not metadata.get("license"):
        problems.append(f"{CARD}: names no license")
    for path in _configured_files(metadata.get("configs")):
        if "*" not in path and path not in manifest.files:
            problems.append(f"{CARD}: configs names {path}, which is not in the folder")
    return problems


def _configured_files(configs: object) -> Iterator[str]:
    """Yield the files of `configs: [{data_files: [{path: name}]}]`, the layout that our cards use."""
    for config in configs if isinstance(configs, list) else []:
        entries = config.get("data_files") if isinstance(config, dict) else None
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict) and isinstance(entry.get("path"), str):
                yield entry["path"]


def lint_space(manifest: Manifest) -> list[str]:
    """Return what the Hub would reject or fail to start in a Space's folder."""
    metadata = read_manifest_metadata(manifest)
    if metadata is None:
        return [f"{CARD}: a Space needs metadata with its sdk"]
    problems = _lint_text(manifest, lambda text: lint_block(split_card(text)))
    if metadata.get("sdk") not in SPACE_SDKS:
        problems.append(f"{CARD}: sdk: got {metadata.get('sdk')!r}, allowed: {', '.join(SPACE_SDKS)}")
    short = str(metadata.get("short_description") or "")
    if len(short) > LONGEST_DESCRIPTION:
        problems.append(
            f"{CARD}: short_description has {len(short)} characters, allowed are {LONGEST_DESCRIPTION}"
        )
    app = str(metadata.get("app_file") or ENTRY["static" if metadata.get("sdk") == "static" else "gradio"])
    if app not in manifest.files:
        problems.append(f"{app}: missing, so the Space could not start")
    return problems


def read_manifest_metadata(manifest: Manifest) -> dict[str, object] | None:
    """Return the metadata of a manifest's README, None when it has none that can be read."""
    file = manifest.files.get(CARD)
    if file is None:
        return None
    document = split_card(file.content().decode("utf-8", "replace"))
    return read_metadata(document) if document.front is not None else None

"""The words of a commit and its tag: a title made from what it does, and notes on the release."""

from __future__ import annotations

from finsent.recipe.recipe import Recipe
from model_card.measure.metrics_file import Metrics
from publishing.hub.remote import Target
from publishing.package.changes import Action, FileChange


def commit_title(target: Target, changes: tuple[FileChange, ...], version: str | None, first: bool) -> str:
    """Return the first line of the commit, made from what it does."""
    changed = [change for change in changes if change.has_effect]
    name = f"{target.repo_id.rpartition('/')[2]}{f' {version}' if version else ''}"
    if first:
        return f"Publish {name}: {len(changed)} files"
    if len(changed) <= 2:
        return f"Update {name}: {', '.join(change.path for change in changed)}"
    verbs: dict[Action, str] = {"add": "added", "change": "changed", "delete": "deleted"}
    counts = {verb: sum(one.action == action for one in changed) for action, verb in verbs.items()}
    return f"Update {name}: " + ", ".join(f"{count} {verb}" for verb, count in counts.items() if count)


def release_notes(recipe: Recipe, metrics: Metrics) -> str:
    """Return `card.changes` of this version, if any, and one line of figures of the default file."""
    default = metrics.variant(metrics.default_variant)
    figures = (
        f"{default.file}: {default.bytes / 1e6:.1f} MB, accuracy {default.scores.accuracy:.3f}, "
        f"macro F1 {default.scores.macro_f1:.3f}"
    )
    changes = recipe.card.changes.get(metrics.version, "").strip()
    return "\n\n".join(part for part in (changes, figures) if part)

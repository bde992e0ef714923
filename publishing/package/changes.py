"""What happens to each path of a repository: what should be there, compared with what is."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from finsent.release import ENDPOINT_FILES
from publishing.hub.remote import Remote
from publishing.package.manifest import Manifest, is_allowed

Action = Literal["add", "change", "delete", "same", "keep"]


class FileChange(BaseModel):
    """One path; `keep` is a file of the Hub that no push of ours would send, such as .gitattributes."""

    model_config = ConfigDict(frozen=True)

    path: str
    action: Action
    size: int
    """In bytes, of what is sent or of what is there."""

    @property
    def has_effect(self) -> bool:
        """Whether a commit does something to the path."""
        return self.action in ("add", "change", "delete")


def compare_files(manifest: Manifest, remote: Remote, kept: tuple[str, ...] = ()) -> tuple[FileChange, ...]:
    """Return what happens to every path; those in `kept` stay as they are on the Hub.

    So do endpoint files where a release has none: it is older than they are, and they may be somebody's own.
    """
    if not manifest.files.keys() & set(ENDPOINT_FILES):
        kept = (*kept, *ENDPOINT_FILES)
    changes = []
    for path, file in sorted(manifest.files.items()):
        there = remote.files.get(path)
        action: Action = "add" if there is None else "same" if there.equals(file) else "change"
        changes.append(FileChange(path=path, action=action, size=file.size))
    for path, there in sorted(remote.files.items()):
        if path not in manifest.files:
            ours = is_allowed(manifest.repo_type, path) and path not in kept
            changes.append(FileChange(path=path, action="delete" if ours else "keep", size=there.size))
    return tuple(changes)

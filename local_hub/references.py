"""The branches, tags and pull requests of one repository, and the commits that they lead to."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from dulwich.objects import Commit, ObjectID, Tag, valid_hexsha
from dulwich.refs import Ref, SymrefLoop
from dulwich.repo import Repo

from local_hub.ancestry import Ancestry
from local_hub.durable import fsync_folder
from local_hub.errors import HubError, revision_not_found
from local_hub.git_store import GitStore
from local_hub.names import check_ref_name
from local_hub.published import Published, peel
from local_hub.trees import git_identity, git_now


class References(GitStore):
    """Finds what a name means and moves references; only what one of them leads to can be named."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._ancestry = Ancestry()
        self._published = Published(self._ancestry)

    def refs(self, prefix: str) -> dict[str, str]:
        """Names below `refs/heads/`, `refs/tags/` or `refs/pr/` with the commits they lead to."""
        with self.git() as repo:
            names = repo.refs.as_dict(Ref(prefix.encode().rstrip(b"/")))
            peeled = {
                name.decode("utf-8", "replace"): peel(repo, sha)
                for name, sha in names.items()
                if valid_hexsha(sha)
            }
        return {name: commit.id.decode() for name, commit in sorted(peeled.items()) if commit is not None}

    def find_ref(self, revision: str) -> str | None:
        """The full name of a branch, tag or pull request, None if there is none of that name."""
        try:
            check_ref_name(revision)
        except HubError:  # what no reference can be called, there is no reference of
            return None
        candidates = (f"refs/heads/{revision}", f"refs/tags/{revision}", revision)
        with self.git() as repo:
            for candidate in candidates:
                if candidate.startswith("refs/") and _read_ref(repo, candidate):
                    return candidate
        return None

    def resolve(self, revision: str) -> str:
        """The commit of a branch, tag, `refs/…`, HEAD or (short) commit id; RevisionNotFound otherwise.

        An id must be that of a commit which a reference leads to: what was refused, or whose branch was
        deleted, may still lie in the store and is nobody's to read.
        """
        name = "main" if revision == "HEAD" else revision
        full_name = self.find_ref(name)
        if full_name is None:
            found = self._find_commit(name)
        else:
            with self.git() as repo:
                sha = _read_ref(repo, full_name)
                commit = peel(repo, sha) if sha else None
            found = commit.id.decode() if commit else None
        if found is None:
            raise revision_not_found(revision)
        return found

    def _find_commit(self, name: str) -> str | None:
        """A full commit id, or the only commit whose id starts with at least seven hexadecimal digits."""
        if not 7 <= len(name) <= 40 or set(name) - set("0123456789abcdef"):
            return None
        reachable = self.reachable()
        if len(name) == 40:
            return name if name in reachable else None
        matches = [oid for oid in reachable if oid.startswith(name)]
        return matches[0] if len(matches) == 1 else None

    def reachable(self) -> Set[str]:
        """Every commit that a reference leads to; found once, and again after a reference moved."""
        found = self._published.commits()
        if found is None:
            with self.lock, self.git() as repo:
                found = self._published.find_commits(repo)
        return found

    def read_ref(self, ref: str) -> str | None:
        """The object that a reference names (an annotated tag's is the tag), None if there is no such one."""
        with self.git() as repo:
            sha = _read_ref(repo, ref)
        return sha.decode() if sha else None

    def point(self, ref: str, new: str | None, old: str | None) -> bool:
        """Move, create (old None) or delete (new None) a reference if it still is at `old`; False if not."""
        name = Ref(ref.encode())
        before = ObjectID(old.encode()) if old else None

        def move(repo: Repo) -> bool:
            if _read_ref(repo, ref) != before:
                return False
            self._published.forget()
            try:
                if new is None:
                    return repo.refs.remove_if_equals(name, before)
                if before is None:
                    return repo.refs.add_if_new(name, ObjectID(new.encode()))
                return repo.refs.set_if_equals(name, before, ObjectID(new.encode()))
            except (NotADirectoryError, IsADirectoryError) as error:
                raise HubError(
                    409, f"Reference {ref} collides with another one: {type(error).__name__}"
                ) from None

        return self._write(move)

    def create_ref(self, ref: str, commit: str) -> None:
        """Create a branch or tag; 409 if it exists or collides with another name."""
        check_ref_name(ref)
        if not self.point(ref, commit, None):
            raise HubError(409, f"Reference already exists: {ref}")
        fsync_folder(self.folder / "refs")

    def create_tag(self, tag: str, commit: str, message: str | None, author: str) -> None:
        """Create a light tag, or an annotated one when there is a message; 409 if it exists."""
        check_ref_name(tag)
        target = self._annotate(tag, commit, message, author) if message else commit
        self.create_ref(f"refs/tags/{tag}", target)

    def _annotate(self, tag: str, commit: str, message: str, author: str) -> str:
        annotated = Tag()
        annotated.name, annotated.message = tag.encode(), message.encode("utf-8", "replace")
        annotated.object = (Commit, ObjectID(commit.encode()))
        annotated.tagger, annotated.tag_time, annotated.tag_timezone = git_identity(author), git_now(), 0
        self._write(lambda repo: repo.object_store.add_object(annotated))
        return annotated.id.decode()

    def delete_ref(self, ref: str) -> None:
        """Delete a branch or tag; RevisionNotFound if there is none."""

        def remove(repo: Repo) -> None:
            before = _read_ref(repo, ref)
            self._published.forget()
            if before is None or not repo.refs.remove_if_equals(Ref(ref.encode()), before):
                raise revision_not_found(ref.split("/", 2)[-1])

        self._write(remove)


def _read_ref(repo: Repo, name: str) -> ObjectID | None:
    try:
        found = repo.refs[Ref(name.encode("utf-8"))]
    except (
        KeyError,
        ValueError,
        OSError,
        SymrefLoop,
    ):  # names that no reference can have raise the first three
        return None
    return ObjectID(found) if valid_hexsha(found) else None

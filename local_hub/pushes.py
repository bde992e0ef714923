"""What a git push may bring: the same rules as for commits, held over every new tree."""

from __future__ import annotations

from collections.abc import Iterator
from stat import S_ISDIR

from dulwich.errors import MissingCommitError
from dulwich.objects import Blob, Commit, ObjectID, Tag, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from local_hub.commits import check_pointer, check_readme, check_regular
from local_hub.errors import bad_request, forbidden, stale_parent
from local_hub.names import check_path, check_ref_name
from local_hub.objects import MAX_POINTER_BYTES, read_pointer
from local_hub.visits import Visit

_ZERO = "0" * 40
_ALLOWED_MODES = (0o100644, 0o100755, 0o100664)
_MAX_DEPTH = 64


def check_push(visit: Visit, ref: str, old: str, new: str, known: set[str]) -> None:
    """400, 403 or 412 when the Hub does not take this reference update.

    `known` holds the commits that references led to before the push: one of them brings nothing to judge.
    """
    if not ref.startswith(("refs/heads/", "refs/tags/", "refs/pr/")):
        raise forbidden(f"Pushing to {ref} is not allowed; push branches, tags or refs/pr/….")
    check_ref_name(ref.split("/", 2)[2])
    with visit.repository.git() as repo:
        try:
            current = repo.refs[Ref(ref.encode())].decode()
        except KeyError:
            current = _ZERO
        if current != old:
            raise stale_parent()
        if new == _ZERO:
            if ref == "refs/heads/main":
                raise forbidden("The branch main cannot be deleted.")
            return
        target = repo.object_store[ObjectID(new.encode())]
        while isinstance(target, Tag):
            target = repo.object_store[target.object[1]]
        if not isinstance(target, Commit):
            raise bad_request(f"{ref} must lead to a commit.")
        if target.id.decode() in known:
            return
        for blob_path, blob in _new_blobs(repo, target):
            _check_blob(visit, blob_path, blob)


def _new_blobs(repo: Repo, head: Commit) -> Iterator[tuple[str, Blob]]:
    """Every blob of the new commits that no reference had before, with its path."""
    known = list(repo.refs.as_dict().values())
    try:
        walker = list(repo.get_walker(include=[head.id], exclude=known))
    except (KeyError, MissingCommitError):
        raise bad_request("The push lacks some of the commits that it refers to.") from None
    seen: set[bytes] = set()
    for entry in reversed(walker):
        for parent in entry.commit.parents:
            found = repo.object_store[parent]
            if isinstance(found, Commit):
                for _ in _walk(repo, found.tree, "", seen, 0):
                    pass
        yield from _walk(repo, entry.commit.tree, "", seen, 0)


def _walk(
    repo: Repo, tree_id: ObjectID, prefix: str, seen: set[bytes], depth: int
) -> Iterator[tuple[str, Blob]]:
    if tree_id in seen:
        return
    seen.add(tree_id)
    tree = repo.object_store[tree_id]
    if not isinstance(tree, Tree) or depth > _MAX_DEPTH:
        raise bad_request("The push holds a tree that is broken or too deep.")
    for item in tree.iteritems():
        path = check_path(prefix + item.path.decode("utf-8", "replace"))
        if S_ISDIR(item.mode):
            yield from _walk(repo, item.sha, f"{path}/", seen, depth + 1)
        elif item.mode not in _ALLOWED_MODES:
            raise bad_request(f"{path} is a symbolic link or a submodule, which this Hub does not take.")
        elif item.sha + path.encode() not in seen:
            seen.add(item.sha + path.encode())
            blob = repo.object_store[item.sha]
            if isinstance(blob, Blob):
                yield path, blob


def _check_blob(visit: Visit, path: str, blob: Blob) -> None:
    content = blob.as_raw_string()
    check_regular(path, content, visit.hub.settings.regular_file_limit)
    pointer = read_pointer(content) if len(content) <= MAX_POINTER_BYTES else None
    if pointer:
        check_pointer(visit.shelf, path, pointer.oid)
    if path == "README.md":
        check_readme(content, visit.id.kind)

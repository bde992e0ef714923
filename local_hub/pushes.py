"""What a git push may bring: the same rules as for commits, held over every new tree."""

from __future__ import annotations

from collections.abc import Iterator, Set
from stat import S_ISDIR

from dulwich.errors import ObjectFormatException
from dulwich.object_store import BaseObjectStore
from dulwich.objects import Blob, Commit, ObjectID, Tag, Tree

from local_hub.ancestry import Ancestry
from local_hub.commits import check_pointer, check_readme, check_regular
from local_hub.errors import bad_request, forbidden, stale_parent
from local_hub.names import check_path, check_ref_name
from local_hub.objects import MAX_POINTER_BYTES, read_pointer
from local_hub.trees import check_count
from local_hub.visits import Visit

ZERO = "0" * 40
_ALLOWED_MODES = (0o100644, 0o100755, 0o100664)
_MAX_DEPTH = 64
_MAX_ENTRIES = 1_000_000  # of all new commits together


def check_push(visit: Visit, store: BaseObjectStore, ref: str, old: str, new: str) -> set[str]:
    """The ids of all that the reference would bring; 400, 403 or 412 when the Hub does not take it.

    `store` has the pushed objects as well as the repository's own.
    """
    if not ref.startswith(("refs/heads/", "refs/tags/", "refs/pr/")):
        raise forbidden(f"Pushing to {ref} is not allowed; push branches, tags or refs/pr/….")
    check_ref_name(ref.split("/", 2)[2])
    if (visit.repository.read_ref(ref) or ZERO) != old:
        raise stale_parent()
    if new == ZERO and ref == "refs/heads/main":
        raise forbidden("The branch main cannot be deleted.")
    try:
        return set() if new == ZERO else _NewObjects(visit, store).check(ref, new)
    except KeyError:
        raise bad_request("The push lacks some of the objects that it refers to.") from None
    except ObjectFormatException as error:
        raise bad_request(f"The push contains a broken object: {error}") from None


class _NewObjects:
    """Everything that no reference led to before, whatever order, dates or detours it comes in."""

    def __init__(self, visit: Visit, store: BaseObjectStore) -> None:
        self._visit = visit
        self._store = store
        self._seen: set[tuple[str, bytes]] = set()
        self._entries = 0
        self._counts: dict[ObjectID, int] = {}
        self._fine: set[ObjectID] = set()

    def check(self, ref: str, new: str) -> set[str]:
        """The new objects' ids, when none of them breaks a rule."""
        found, target = {new}, self._store[ObjectID(new.encode())]
        while isinstance(target, Tag):
            target = self._store[target.object[1]]
            found.add(target.id.decode())
        if not isinstance(target, Commit):
            raise bad_request(f"{ref} must lead to a commit.")
        known = self._visit.repository.reachable()
        commits = Ancestry().ancestors(self._store, [target.id.decode()], known)
        self._skip_what_stands(commits, known)
        for oid in commits:
            tree = self._tree_of(oid)
            check_count(self._count(tree, 0))
            for path, sha in self._walk(tree, "", 0):
                found.add(sha.decode())
                self._check_file(path, sha)
        return found | commits

    def _count(self, tree_id: ObjectID, depth: int) -> int:
        """Files and folders below a tree, without a walk: it may hold another one a thousand times."""
        if tree_id not in self._counts:
            items = self._tree(tree_id, depth).iteritems()
            below = (self._count(item.sha, depth + 1) if S_ISDIR(item.mode) else 0 for item in items)
            self._counts[tree_id] = sum(1 + count for count in below)
        return self._counts[tree_id]

    def _tree(self, tree_id: ObjectID, depth: int) -> Tree:
        tree = self._store[tree_id]
        if not isinstance(tree, Tree) or depth > _MAX_DEPTH:
            raise bad_request("The push contains a tree that is broken or too deep.")
        return tree

    def _skip_what_stands(self, commits: set[str], known: Set[str]) -> None:
        """Mark the trees that the new commits start from: what the Hub took once is not judged again."""
        parents = {parent.decode() for oid in commits for parent in self._commit(oid).parents}
        for oid in parents & known:
            for _ in self._walk(self._tree_of(oid), "", 0):
                pass

    def _commit(self, oid: str) -> Commit:
        found = self._store[ObjectID(oid.encode())]
        assert isinstance(found, Commit)
        return found

    def _tree_of(self, oid: str) -> ObjectID:
        tree: ObjectID = self._commit(oid).tree
        return tree

    def _walk(self, tree_id: ObjectID, prefix: str, depth: int) -> Iterator[tuple[str, ObjectID]]:
        """Trees (their path ends in a slash) and files that were not seen under this path before."""
        if (prefix, tree_id) in self._seen:
            return
        self._seen.add((prefix, tree_id))
        tree = self._tree(tree_id, depth)
        tree.check()
        yield prefix, tree_id
        for item in tree.iteritems():
            path = self._checked_path(prefix, item.path)
            if S_ISDIR(item.mode):
                yield from self._walk(item.sha, f"{path}/", depth + 1)
            elif item.mode not in _ALLOWED_MODES:
                raise bad_request(f"{path} is a symbolic link or a submodule, which this Hub does not take.")
            elif (path, item.sha) not in self._seen:
                self._seen.add((path, item.sha))
                yield path, item.sha

    def _checked_path(self, prefix: str, name: bytes) -> str:
        self._entries += 1
        if self._entries > _MAX_ENTRIES:
            raise bad_request(f"The push contains more than {_MAX_ENTRIES} files; push it in parts.")
        return check_path(prefix + name.decode("utf-8", "replace"))

    def _check_file(self, path: str, sha: ObjectID) -> None:
        """Hold a file to the rules; what stands under many names is read once."""
        if not path or path.endswith("/") or (sha in self._fine and path != "README.md"):
            return
        blob = self._store[sha]
        if not isinstance(blob, Blob):
            raise bad_request(f"{path} is said to be a file, and its object is none.")
        _check_content(self._visit, path, blob.as_raw_string())
        self._fine.add(sha)


def _check_content(visit: Visit, path: str, content: bytes) -> None:
    check_regular(path, content, visit.hub.settings.regular_file_limit)
    pointer = read_pointer(content) if len(content) <= MAX_POINTER_BYTES else None
    if pointer:
        check_pointer(visit, path, pointer.oid, pointer.size)
    if path == "README.md":
        check_readme(content, visit.id.kind)

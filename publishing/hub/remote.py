"""What a repository holds on the Hub now: head, files by object id, tags, the trailer of our last push."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from huggingface_hub import hf_hub_url
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

from finsent.hub_id import check_hub_id
from publishing.errors import PublishError
from publishing.hub import client
from publishing.hub.connection import Connection
from publishing.hub.retries import Retries
from publishing.package.manifest import Manifest, OutgoingFile, RepoType

T = TypeVar("T")
PUSH_LINE, CARD_LINE, CHOICE_LINE = "Finsent-Push", "Finsent-Card", "Finsent-Card-Choice"
GITATTRIBUTES = ".gitattributes"  # the Hub puts it there itself
_COMMIT = re.compile(r"[0-9a-f]{40}")
_TRAILER = re.compile(rf"^({PUSH_LINE}|{CARD_LINE}|{CHOICE_LINE}): (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Target:
    """A branch of a repository; PublishError for an id that no Hub would take."""

    repo_id: str
    repo_type: RepoType = "model"
    revision: str = "main"

    def __post_init__(self) -> None:
        try:
            check_hub_id(self.repo_id)
        except ValueError as error:
            raise PublishError(str(error)) from None

    def __str__(self) -> str:
        kind = "" if self.repo_type == "model" else f"{self.repo_type}s/"
        return f"{kind}{self.repo_id}" + ("" if self.revision == "main" else f"@{self.revision}")


@dataclass(frozen=True)
class RemoteFile:
    """A file on the Hub; `sha256` is None for one that is in git itself."""

    path: str
    size: int
    git_sha1: str
    sha256: str | None

    def equals(self, file: OutgoingFile) -> bool:
        """Tell whether this is that file, by the hash that the Hub has of it."""
        return self.sha256 == file.sha256 if self.sha256 else self.git_sha1 == file.git_sha1


@dataclass(frozen=True)
class LastPush:
    """The newest commit of one of our pushes; `card` is the sha256 of the README that it left there."""

    commit: str
    push: str
    card: str | None
    choice: str | None


@dataclass(frozen=True)
class Remote:
    """A repository as it is; `head` is None when it does not exist."""

    target: Target
    head: str | None = None
    files: dict[str, RemoteFile] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    last_push: LastPush | None = None

    def holds(self, manifest: Manifest) -> bool:
        """Tell whether every file of a manifest is here already."""
        return all(
            path in self.files and self.files[path].equals(file) for path, file in manifest.files.items()
        )


@dataclass(frozen=True)
class _Standing:
    """What a Hub says of a repository, checked: its id, its head, its files."""

    repo_id: str
    head: str | None
    files: dict[str, RemoteFile]


@dataclass(frozen=True)
class Reader:
    """Reads a Hub, repeating what fails; reading changes nothing, so that is always allowed."""

    connection: Connection
    retries: Retries

    def current(self, target: Target) -> Target:
        """Return the target by the id that it has now; a Hub redirects those that it had before."""
        try:
            info = self._ask("read id", lambda: self._info(target, files=False))
        except (RepositoryNotFoundError, RevisionNotFoundError):
            return target
        return replace(target, repo_id=info.repo_id)

    def read(self, target: Target) -> Remote:
        """Return what a repository holds; PublishError if it has no such branch."""
        try:
            info = self._ask("read files", lambda: self._info(target))
        except RepositoryNotFoundError:
            return Remote(target)
        except RevisionNotFoundError:
            raise PublishError(
                f"{target}: has no such branch; create it on the Hub, or leave --revision out"
            ) from None
        last = self.last_push(target, info.head) if info.head else None
        return Remote(target, info.head, info.files, self.tags(target), last)

    def head(self, target: Target) -> str | None:
        """Return the newest commit, None when there is no such repository."""
        try:
            return self._ask("read head", lambda: self._info(target, files=False)).head
        except RepositoryNotFoundError:
            return None

    def _info(self, target: Target, files: bool = True) -> _Standing:
        """Ask for a repository; ValueError and its like for an answer that is not one of a Hub."""
        info = self.connection.api.repo_info(
            target.repo_id, repo_type=target.repo_type, revision=target.revision, files_metadata=files
        )
        found = [_remote_file(one) for one in (info.siblings or [] if files else [])]
        head = None if info.sha is None else _commit(info.sha)
        return _Standing(_repo_id(info.id), head, {one.path: one for one in found})

    def tags(self, target: Target) -> dict[str, str]:
        """Return tag -> commit."""
        api = self.connection.api

        def ask() -> dict[str, str]:
            refs = api.list_repo_refs(target.repo_id, repo_type=target.repo_type)
            return {str(tag.name): _commit(tag.target_commit) for tag in refs.tags}

        return self._ask("read tags", ask)

    def messages(self, target: Target, revision: str) -> list[tuple[str, str]]:
        """Return commits from `revision` backwards as pairs of id and whole message, newest first."""
        api = self.connection.api

        def ask() -> list[tuple[str, str]]:
            commits = api.list_repo_commits(target.repo_id, repo_type=target.repo_type, revision=revision)
            return [(_commit(one.commit_id), f"{one.title}\n\n{one.message}") for one in commits]

        return self._ask("read commits", ask)

    def last_push(self, target: Target, head: str) -> LastPush | None:
        """Return the newest commit with our trailer."""
        for commit, message in self.messages(target, head):
            trailers = dict(_TRAILER.findall(message))
            if PUSH_LINE in trailers:
                return LastPush(
                    commit, trailers[PUSH_LINE], trailers.get(CARD_LINE), trailers.get(CHOICE_LINE)
                )
        return None

    def find_push(self, target: Target, push: str) -> str | None:
        """Return the commit that a push made on a branch, None if there is none."""
        head = self.head(target)
        if head is None:
            return None
        for commit, message in self.messages(target, head):
            if dict(_TRAILER.findall(message)).get(PUSH_LINE) == push:
                return commit
        return None

    def find_pull_request(self, target: Target, push: str) -> tuple[str, int] | None:
        """Return commit and number of the pull request that a push opened, None if there is none."""
        api = self.connection.api

        def ask() -> list[tuple[str, int]]:
            refs = api.list_repo_refs(target.repo_id, repo_type=target.repo_type, include_pull_requests=True)
            found = refs.pull_requests or []
            return [(_commit(ref.target_commit), int(ref.ref.rpartition("/")[2])) for ref in found]

        for commit, number in reversed(self._ask("read pull requests", ask)):
            messages = self.messages(target, commit)
            if messages and dict(_TRAILER.findall(messages[0][1])).get(PUSH_LINE) == push:
                return commit, number
        return None

    def is_open(self, target: Target, number: int) -> bool:
        """Tell whether a pull request waits to be merged; one that is gone does not."""
        api = self.connection.api

        def ask() -> str:
            return str(api.get_discussion_details(target.repo_id, number, repo_type=target.repo_type).status)

        try:
            status = self._ask("read pull request", ask)
        except (RepositoryNotFoundError, EntryNotFoundError):
            return False
        return status in ("open", "draft")

    def content(self, target: Target, path: str, revision: str) -> bytes | None:
        """Return the bytes of a small file at a revision, None when it is not there."""
        url = hf_hub_url(
            target.repo_id, path,
            repo_type=target.repo_type, revision=revision, endpoint=self.connection.endpoint,
        )  # fmt: skip

        try:
            return self._ask(f"read {path}", lambda: client.fetch(url, self.connection.token))
        except EntryNotFoundError:
            return None

    def _ask(self, step: str, action: Callable[[], T]) -> T:
        """Repeat a reading; what is not there is an answer, not a failure."""
        try:
            return self.retries.retry(step, action)
        except PublishError as error:
            if isinstance(
                error.__cause__, RepositoryNotFoundError | RevisionNotFoundError | EntryNotFoundError
            ):
                raise error.__cause__ from None
            raise


def _remote_file(one: Any) -> RemoteFile:  # noqa: ANN401  (RepoSibling; its lfs is a dict or an object)
    lfs = one.lfs
    sha256 = str(lfs["sha256"]) if lfs is not None else None
    return RemoteFile(_path(one.rfilename), int(one.size or 0), str(one.blob_id), sha256)


def _repo_id(told: object) -> str:
    if not isinstance(told, str):
        raise ValueError(f"repository id {str(told)[:60]!r}")
    return told


def _path(name: object) -> str:
    """Return a path in a repository; ValueError for one that leads out of a folder or can be no file's."""
    parts = name.split("/") if isinstance(name, str) else [""]
    if any(part in ("", ".", "..") for part in parts) or "\0" in str(name) or "\\" in str(name):
        raise ValueError(f"file name {str(name)[:60]!r}")
    str(name).encode()  # UnicodeEncodeError, a ValueError, for half a character
    return str(name)


def _commit(sha: object) -> str:
    """Return the id of a commit; ValueError for what is none."""
    if not isinstance(sha, str) or not _COMMIT.fullmatch(sha):
        raise ValueError(f"commit {str(sha)[:60]!r}")
    return sha


def trailers(push: str, card: str | None, choice: str | None) -> str:
    """Return the lines by which a push recognizes its own commit, and the next one its card."""
    lines: Iterable[tuple[str, str | None]] = ((PUSH_LINE, push), (CARD_LINE, card), (CHOICE_LINE, choice))
    return "\n".join(f"{key}: {value}" for key, value in lines if value)

"""Carrying out a plan: repository, large files, one commit on the planned parent, a tag.

Each step may fail after it took effect. So each knows how to find its own work on the Hub, and looks for it
before it repeats anything: a commit by the id of the push in its message, a tag by its commit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete

from publishing.errors import GaveUpError, PublishError, StalePlanError
from publishing.hub.remote import Reader, Remote, Target
from publishing.hub.retries import FAILURES
from publishing.package.changes import compare_files
from publishing.package.manifest import Manifest
from publishing.package.sending import taken
from publishing.plan import Plan


@dataclass(frozen=True)
class Committed:
    """What a commit left: its id, what it was put upon, and the pull request that it opened, if any."""

    commit: str
    parent: str
    pull_request: int | None = None


@dataclass(frozen=True)
class Sender:
    """Sends to one branch, under the id of one push."""

    reader: Reader
    target: Target
    push: str

    def ensure_repository(self, remote: Remote, **options: Any) -> Remote:  # noqa: ANN401  (create_repo's own)
        """Create the repository if it is not there and return what is in it."""
        if remote.head is not None:
            return remote
        api = self.reader.connection.api

        def create() -> bool:
            api.create_repo(self.target.repo_id, repo_type=self.target.repo_type, exist_ok=True, **options)
            return True

        self.reader.retries.retry("create repository", create, lambda: self._exists() or None)
        return self.reader.read(self.target)

    def _exists(self) -> bool:
        return self.reader.head(Target(self.target.repo_id, self.target.repo_type)) is not None

    def send(
        self, plan: Plan, manifest: Manifest, remote: Remote, body: str, pull_request: bool = False,
        announce: Callable[[], None] = lambda: None,
    ) -> Committed:  # fmt: skip
        """Upload what is large and make the one commit; `announce` is called between the two.

        StalePlanError when the Hub is not as planned, LintError if a file is not as it was checked.
        """
        self._check_unchanged(plan, manifest, remote)
        assert remote.head is not None
        deletions = [CommitOperationDelete(change.path) for change in plan.of("delete")]
        with taken(manifest.files[change.path] for change in plan.of("add", "change")) as additions:
            self._upload(additions)
            announce()
            return self.commit([*additions, *deletions], remote.head, plan.title, body, pull_request)

    def _check_unchanged(self, plan: Plan, manifest: Manifest, remote: Remote) -> None:
        if plan.parent is not None and remote.head != plan.parent:
            raise StalePlanError(
                f"{self.target}: somebody committed {str(remote.head)[:8]} since the plan was made"
            )
        now = [change for change in compare_files(manifest, remote) if change.action in ("change", "delete")]
        if plan.parent is None and now and self.target.repo_type != "space":
            raise StalePlanError(
                f"{self.target}: somebody created it with {now[0].path} since the plan was made"
            )

    def _upload(self, additions: list[CommitOperationAdd]) -> None:
        """Send the large files; the Hub takes each object once, so repeating sends only what is missing."""

        def upload() -> None:
            self.reader.connection.api.preupload_lfs_files(
                self.target.repo_id,
                additions,
                repo_type=self.target.repo_type,
                revision=self.target.revision,
                free_memory=False,
            )

        self.reader.retries.retry("upload", upload)

    def commit(
        self, operations: list[Any], parent: str, title: str, body: str, pull_request: bool = False
    ) -> Committed:
        """Make one commit on `parent`, or find it when its answer was lost."""

        def create() -> Committed:
            return self._create_commit(operations, parent, title, body, pull_request)

        def find() -> Committed | None:
            return self._find(parent, pull_request)

        try:
            return self.reader.retries.retry("commit", create, find)
        except GaveUpError as error:
            message = f"{error}; nothing was committed and no file changed; run the same command again"
            raise GaveUpError(message) from error

    def _create_commit(
        self, operations: list[Any], parent: str, title: str, body: str, pull_request: bool
    ) -> Committed:
        try:
            done = self.reader.connection.api.create_commit(
                self.target.repo_id, operations,
                commit_message=title, commit_description=body, parent_commit=parent, create_pr=pull_request,
                repo_type=self.target.repo_type, revision=self.target.revision,
            )  # fmt: skip
        except ValueError as error:
            if isinstance(error, FAILURES):
                raise
            raise PublishError(f"commit: the Hub refuses the card: {error}") from error
        number = int(done.pr_num) if pull_request and done.pr_num is not None else None
        return Committed(done.oid, parent, number)

    def _find(self, parent: str, pull_request: bool) -> Committed | None:
        if pull_request:
            opened = self.reader.find_pull_request(self.target, self.push)
            return Committed(opened[0], parent, opened[1]) if opened else None
        commit = self.reader.find_push(self.target, self.push)
        return Committed(commit, parent) if commit else None

    def tag(self, name: str, commit: str, notes: str) -> None:
        """Tag a commit. PublishError if the name is taken by another."""
        api = self.reader.connection.api

        def create() -> bool:
            api.create_tag(
                self.target.repo_id,
                repo_type=self.target.repo_type,
                tag=name,
                tag_message=notes or None,
                revision=commit,
            )
            return True

        self.reader.retries.retry("tag", create, lambda: self._tagged(name, commit))

    def _tagged(self, name: str, commit: str) -> bool | None:
        there = self.reader.tags(self.target).get(name)
        if there is not None and there != commit:
            raise PublishError(f"tag: {name} is already on {there[:8]}; raise `version` in the recipe")
        return True if there == commit else None

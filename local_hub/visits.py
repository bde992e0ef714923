"""One request to one repository: who asks, for what, and whether he may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Request

from local_hub.accounts import Viewer
from local_hub.catalogue import Shelf
from local_hub.errors import HubError, forbidden, repository_not_found, revision_not_found
from local_hub.hub import Hub
from local_hub.names import KINDS, RepoId
from local_hub.repository import Repository


def hub_of(request: Request) -> Hub:
    """The Hub that this application serves."""
    hub: Hub = request.app.state.hub
    return hub


def viewer_of(request: Request) -> Viewer | None:
    """Who asks, None for anonymous; 401 for an unknown token."""
    return hub_of(request).accounts.identify(request.headers.get("authorization"))


def page_viewer_of(request: Request) -> Viewer | None:
    """Who looks at a page: the token's user, else the one whom the session cookie names.

    Only for reading: the cookie gives the role read, so that no other site can make a browser write here.
    """
    return viewer_of(request) or hub_of(request).sessions.viewer(request)


def endpoint_of(request: Request) -> str:
    """The address by which the client reached this server, without a trailing slash."""
    return str(request.base_url).rstrip("/")


def xet_endpoint(visit: Visit) -> str:
    """The repository's own content-addressed storage; the address keeps the caches of clients apart, too."""
    return f"{visit.endpoint}/_hub/xet/{visit.id.kind}/{visit.id}"


@dataclass(frozen=True)
class Visit:
    """A repository that the viewer may read."""

    hub: Hub
    shelf: Shelf
    viewer: Viewer | None
    endpoint: str

    @property
    def id(self) -> RepoId:
        """Which repository."""
        return self.shelf.id

    @property
    def repository(self) -> Repository:
        """Its git repository."""
        return self.shelf.repository

    @property
    def page(self) -> str:
        """The repository's web address."""
        return f"{self.endpoint}/{self.id.web_path}"

    def require_writer(self, action: str) -> Viewer:
        """The viewer, if he may write here; 401 or 403 otherwise."""
        return self.hub.accounts.require_writer(self.viewer, self.id.namespace, action)

    def require_contributor(self) -> Viewer:
        """The viewer, if he may propose changes: any user whose token may write."""
        if self.viewer is None:
            raise HubError(401, "Invalid username or password.")
        if not self.viewer.may_write:
            raise forbidden("This token has the role read; to contribute use a token with the role write.")
        return self.viewer

    def require_content(self) -> None:
        """Pass if the viewer may read the files; GatedRepo when he has to ask for access first."""
        record, viewer = self.shelf.record, self.viewer
        if not record.gated or self.hub.accounts.owns(viewer, self.id.namespace):
            return
        if viewer is None:
            message = (
                f"Access to {self.id.type} {self.id} is restricted. You must be authenticated to ask for it."
            )
            raise HubError(401, message, code="GatedRepo")
        if viewer.name not in record.granted:
            message = (
                f"Access to {self.id.type} {self.id} is restricted and you are not in the authorized list."
            )
            raise HubError(403, f"{message} Visit {self.page} to ask for access.", code="GatedRepo")


def visit(request: Request, viewer: Viewer | None, kind: str, namespace: str, name: str) -> Visit:
    """Open a repository for the viewer; private ones look as if they were missing to everybody else."""
    hub = hub_of(request)
    for known in KINDS:
        shelf = hub.catalogue.get(RepoId(known, namespace, name)) if known == kind else None
        if shelf and (not shelf.record.private or hub.accounts.owns(viewer, namespace)):
            return Visit(hub, shelf, viewer, endpoint_of(request))
    raise repository_not_found(anonymous=viewer is None)


def _reader(request: Request, kind: str, namespace: str, name: str) -> Visit:
    return visit(request, viewer_of(request), kind, unquote(namespace), unquote(name).removesuffix(".git"))


def _file_reader(request: Request, kind: str, namespace: str, name: str) -> Visit:
    viewer = page_viewer_of(request) if request.method in ("GET", "HEAD") else viewer_of(request)
    return visit(request, viewer, kind, unquote(namespace), unquote(name).removesuffix(".git"))


Reader = Annotated[Visit, Depends(_reader)]
FileReader = Annotated[Visit, Depends(_file_reader)]
TheHub = Annotated[Hub, Depends(hub_of)]
TheViewer = Annotated[Viewer | None, Depends(viewer_of)]


def split_revision(repository: Repository, rest: str) -> tuple[str, str]:
    """Cut the undecoded `revision[/path]` of an address into the revision and the decoded path.

    Python clients send a revision as one encoded segment, JavaScript ones send its slashes as they are, so
    the shortest prefix that is a revision wins. RevisionNotFound names the first segment if none is.
    """
    segments = rest.rstrip("/").split("/")
    for length in range(1, min(len(segments), 8) + 1):
        revision = unquote("/".join(segments[:length]))
        try:
            repository.resolve(revision)
        except HubError:
            continue
        return revision, unquote("/".join(segments[length:]))
    raise revision_not_found(unquote(segments[0]))

"""One request to one repository: who asks, for what, and whether he may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import Depends, Request

from local_hub.accounts import Viewer
from local_hub.catalogue import Shelf
from local_hub.errors import HubError, forbidden, repository_not_found, revision_not_found
from local_hub.holdings import HeldObject
from local_hub.hub import Hub
from local_hub.names import KINDS, RepoId
from local_hub.repository import Repository
from local_hub.rights import find_object, may_read, may_see


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


def moved_to(request: Request, new: RepoId) -> HubError:
    """307 to the request's own address with the new id in it; 404 where the id came in the body."""
    template = request.scope["route"].path.split("/")
    if "{namespace}" not in template:
        return repository_not_found(anonymous=False)
    segments, place = request.scope["path"].split("/"), template.index("{namespace}")
    ending = ".git" if unquote(segments[place + 1]).endswith(".git") else ""
    segments[place : place + 2] = [quote(new.namespace), quote(new.name) + ending]
    if request.scope["wire_path"] != request.scope["path"]:  # the web leaves the kind of models out
        del segments[1]
    query = request.scope["query_string"].decode("latin-1")
    location = "/".join(segments) + (f"?{query}" if query else "")
    return HubError(307, f"This {new.type} is now {new}.", headers={"Location": location})


def endpoint_of(request: Request) -> str:
    """The address by which the client reached this server, without a trailing slash."""
    return str(request.base_url).rstrip("/")


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

    @property
    def is_owner(self) -> bool:
        """Whether the namespace is the viewer's own, whatever his token may do."""
        return self.hub.accounts.owns(self.viewer, self.id.namespace)

    def require_contributor(self) -> Viewer:
        """The viewer, if he may propose changes: his token may write, and he may read the files."""
        viewer = self.require_speaker()
        self.require_content()
        return viewer

    def require_speaker(self) -> Viewer:
        """The viewer, if he may take part in discussions: any user whose token may write."""
        if self.viewer is None:
            raise HubError(401, "Invalid username or password.")
        if not self.viewer.may_write:
            raise forbidden("This token has the role read; to contribute use a token with the role write.")
        return self.viewer

    @property
    def may_read(self) -> bool:
        """Whether the viewer may have the files and what derives from them."""
        return may_read(self.hub.accounts, self.shelf, self.viewer)

    def require_content(self) -> None:
        """Pass if the viewer may read the files; GatedRepo when he has to ask for access first."""
        if self.may_read:
            return
        restricted = f"Access to {self.id.type} {self.id} is restricted"
        if self.viewer is None:
            message = f"{restricted}. You must be authenticated to ask for it."
            raise HubError(401, message, code="GatedRepo")
        message = f"{restricted} and you are not in the authorized list. Visit {self.page} to ask for access."
        raise HubError(403, message, code="GatedRepo")

    def find_object(self, oid: str) -> HeldObject | None:
        """The large object if it was sent to this repository and the viewer may use it here."""
        return find_object(self.hub.accounts, self.shelf, self.viewer, oid)


def visit(request: Request, viewer: Viewer | None, kind: str, namespace: str, name: str) -> Visit:
    """Open a repository for the viewer; private ones look as if they were missing to everybody else.

    An id that the repository had before it was moved is answered with 307 to the same thing at the new one.
    """
    hub = hub_of(request)
    for known in KINDS:
        repo_id = RepoId(known, namespace, name)
        shelf = hub.catalogue.get(repo_id) if known == kind else None
        if shelf and may_see(hub.accounts, shelf, viewer):
            return Visit(hub, shelf, viewer, endpoint_of(request))
        moved = hub.catalogue.find_moved(repo_id) if known == kind else None
        if moved and may_see(hub.accounts, moved, viewer):
            raise moved_to(request, moved.id)
    raise repository_not_found(anonymous=viewer is None)


def visit_addressed(request: Request, viewer: Viewer | None, kind: str | None = None) -> Visit:
    """Open the repository that the request's address names; `kind` where that is no part of the address.

    The parts are no parameters of the routes: FastAPI would build a validator for each of them in each route,
    which took a tenth of the server's start.
    """
    parts = request.path_params
    name = unquote(parts["name"]).removesuffix(".git")
    return visit(request, viewer, kind or parts["kind"], unquote(parts["namespace"]), name)


def _reader(request: Request) -> Visit:
    return visit_addressed(request, viewer_of(request))


def _file_reader(request: Request) -> Visit:
    viewer = page_viewer_of(request) if request.method in ("GET", "HEAD") else viewer_of(request)
    return visit_addressed(request, viewer)


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

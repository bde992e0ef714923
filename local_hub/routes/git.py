"""git clone, pull and push over HTTP, through dulwich; a push is held to the same rules as a commit."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any, cast

from anyio import CapacityLimiter, to_thread
from dulwich.errors import ApplyDeltaError, ChecksumMismatch, ObjectFormatException
from dulwich.object_store import DiskObjectStore
from dulwich.objects import ObjectID
from dulwich.protocol import ReceivableProtocol
from dulwich.refs import Ref
from dulwich.repo import Repo
from dulwich.server import BackendRepo, DictBackend, ReceivePackHandler, UploadPackHandler
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from local_hub.errors import HubError, bad_request
from local_hub.packs import PackLimits, check_push_body
from local_hub.pushes import ZERO, check_push
from local_hub.quarantine import quarantine, release
from local_hub.request_body import unpacked
from local_hub.room import guarded, is_full, no_room, require_room
from local_hub.visits import Visit, viewer_of, visit_addressed

router = APIRouter()
_MAX_PUSH = 2 << 30
_MAX_WISHES = 8 << 20  # what a clone or pull says that it wants and has: 50 bytes a commit
_SPOOL = 1 << 20
_PIECE = 1 << 16
_BROKEN_PACK = (OSError, ChecksumMismatch, ApplyDeltaError, AssertionError, zlib.error, ObjectFormatException)
_ONE_FAILED = HubError(409, "atomic push failed")
_NO_CACHE = {"Cache-Control": "no-cache, max-age=0, must-revalidate"}


class _CheckedReceive(ReceivePackHandler):
    """Takes a push only as far as the Hub's rules allow; what is refused never enters the repository."""

    visit: Visit

    def _apply_pack(self, refs: list[tuple[ObjectID, ObjectID, Ref]]) -> Iterator[tuple[bytes, bytes]]:
        """Judge every reference on the quarantined pack, then move what is taken and point the references."""
        repo = cast(Repo, self.repo)
        with quarantine(repo, self.visit.hub.incoming) as store:
            try:
                if any(new.decode() != ZERO for _, new, _ in refs):
                    store.add_thin_pack(self.proto.read, cast(ReceivableProtocol, self.proto).recv)
            except _BROKEN_PACK as error:
                if is_full(error):
                    raise
                yield b"unpack", " ".join(str(error).split()).encode("utf-8")[:400]
                return
            yield b"unpack", b"ok"
            verdicts = [self._judge(store, *ref) for ref in refs]
            refused = any(isinstance(verdict, HubError) for verdict in verdicts)
            if refused and self.has_capability(b"atomic"):
                verdicts = [v if isinstance(v, HubError) else _ONE_FAILED for v in verdicts]
            taken = [verdict for verdict in verdicts if not isinstance(verdict, HubError)]
            release(store, repo, set().union(*taken))
        for (old, new, ref), verdict in zip(refs, verdicts, strict=True):
            yield ref, self._apply(verdict, old.decode(), new.decode(), ref.decode("utf-8", "replace"))

    def _judge(self, store: DiskObjectStore, old: ObjectID, new: ObjectID, ref: Ref) -> set[str] | HubError:
        """The objects that the reference brings, or why it is refused."""
        try:
            return check_push(self.visit, store, ref.decode("utf-8", "replace"), old.decode(), new.decode())
        except HubError as error:
            self._tell(error.message)
            return error

    def _apply(self, verdict: set[str] | HubError, old: str, new: str, ref: str) -> bytes:
        """Point the reference, unless it was refused; what git tells about it."""
        if isinstance(verdict, HubError):
            return " ".join(verdict.message.split()).encode("utf-8")[:400]
        wanted, before = (None if oid == ZERO else oid for oid in (new, old))
        try:
            return b"ok" if self.visit.repository.point(ref, wanted, before) else b"failed to update"
        except HubError as error:
            return " ".join(error.message.split()).encode("utf-8")[:400]

    def _tell(self, message: str) -> None:
        if self.has_capability(b"side-band-64k"):
            self.proto.write_sideband(2, f"{message}\n".encode())


def _open(request: Request, *, write: bool) -> Visit:
    """The repository for git; without rights 401 with a challenge, so that git asks for user and token."""
    challenge = {"WWW-Authenticate": 'Basic realm="local hub", charset="UTF-8"'}
    try:
        found = visit_addressed(request, viewer_of(request))
        if write:
            found.require_writer(f"push to {found.id}")
        found.require_content()
    except HubError as error:
        if error.status == 401:
            error.headers |= challenge
        raise
    return found


@router.get("/{kind}/{namespace}/{name}/info/refs")
def advertise(request: Request) -> Response:
    """What the repository has; the first step of every clone, pull and push."""
    service = request.query_params.get("service", "")
    if service not in ("git-upload-pack", "git-receive-pack"):
        raise HubError(403, "Only git's smart HTTP protocol is served; use git 1.6.6 or newer.")
    found = _open(request, write=service == "git-receive-pack")
    pieces: list[bytes] = []
    with found.repository.git() as repo:
        proto = ReceivableProtocol(lambda size: b"", _writer(pieces))
        proto.write_pkt_line(f"# service={service}\n".encode())
        proto.write_pkt_line(None)
        handler = UploadPackHandler if service == "git-upload-pack" else ReceivePackHandler
        handler(DictBackend(_served(repo)), ["/"], proto, stateless_rpc=True, advertise_refs=True).handle()
    return Response(b"".join(pieces), media_type=f"application/x-{service}-advertisement", headers=_NO_CACHE)


def _served(repo: Repo) -> dict[str, BackendRepo]:
    return {"/": cast(BackendRepo, repo)}


def _writer(pieces: list[bytes]) -> Callable[[bytes], int | None]:
    def write(data: bytes) -> int:
        pieces.append(data)
        return len(data)

    return write


def _spooled(folder: Path) -> IO[bytes]:
    """A temporary file that stays in memory while it is small; whoever takes it closes it."""
    return cast(IO[bytes], tempfile.SpooledTemporaryFile(_SPOOL, dir=str(folder)))


async def _body(request: Request, folder: Path, limit: int) -> IO[bytes]:
    """The request's body on disk, unpacked if git compressed it; bounded in both forms."""
    file = _spooled(folder)
    try:
        async for piece in unpacked(request, limit):
            require_room(folder, len(piece))
            await to_thread.run_sync(file.write, piece)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


@router.post("/{kind}/{namespace}/{name}/git-upload-pack")
async def upload_pack(request: Request) -> Response:
    """Send what a clone or pull lacks."""
    found = await to_thread.run_sync(lambda: _open(request, write=False))
    body = await _body(request, found.hub.incoming, _MAX_WISHES)
    output = await to_thread.run_sync(_serve, found, body, UploadPackHandler, limiter=_slots(request))
    return _streamed(output, "git-upload-pack")


@router.post("/{kind}/{namespace}/{name}/git-receive-pack")
async def receive_pack(request: Request) -> Response:
    """Take a push."""
    found = await to_thread.run_sync(lambda: _open(request, write=True))
    found.hub.commit_quota.spend(f"{found.id.kind}/{found.id}")
    body = await _body(request, found.hub.incoming, _MAX_PUSH)
    before = await to_thread.run_sync(found.repository.refs, "refs/heads/")
    output = await to_thread.run_sync(_serve, found, body, _CheckedReceive, limiter=_slots(request))
    after = await to_thread.run_sync(found.repository.refs, "refs/heads/")
    for branch in after:
        if before.get(branch) != after[branch]:
            await to_thread.run_sync(found.hub.after_change, found.shelf, f"refs/heads/{branch}")
    return _streamed(output, "git-receive-pack")


def _slots(request: Request) -> CapacityLimiter:
    slots: CapacityLimiter = request.app.state.git_slots
    return slots


def _serve(found: Visit, body: IO[bytes], handler_type: type[Any]) -> IO[bytes]:
    """Run one exchange; the answer is on disk when it is large. A broken request is a 400."""
    output = _spooled(found.hub.incoming)
    lock = found.repository.alone() if handler_type is _CheckedReceive else nullcontext()
    try:
        with body, found.repository.git() as repo, lock:
            if handler_type is _CheckedReceive:
                check_push_body(body, PackLimits())
            write = cast(Callable[[bytes], int | None], guarded(output.write, found.hub.incoming))
            proto = ReceivableProtocol(body.read, write)
            handler = handler_type(DictBackend(_served(repo)), ["/"], proto, stateless_rpc=True)
            if handler_type is _CheckedReceive:
                handler.visit = found
            handler.handle()
    except HubError:
        output.close()
        raise
    except Exception as error:  # dulwich raises a dozen unrelated types for malformed requests
        output.close()
        if is_full(error):
            raise no_room() from None
        raise bad_request(f"git request refused: {type(error).__name__}") from None
    output.seek(0)
    return output


def _streamed(output: IO[bytes], service: str) -> StreamingResponse:
    def pieces() -> Any:  # noqa: ANN401  (a generator)
        with output:
            while piece := output.read(_PIECE):
                yield piece

    return StreamingResponse(pieces(), media_type=f"application/x-{service}-result", headers=_NO_CACHE)

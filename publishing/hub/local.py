"""Opening a Hub for one command: one on the net, or with --local this machine's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from finsent.cli import quiet_libraries, say, take_termination_as_interrupt
from finsent.release import RUNS
from publishing.errors import PublishError
from publishing.hub.connection import Timeouts, connect
from publishing.hub.remote import Reader
from publishing.hub.retries import Retries

if TYPE_CHECKING:
    from local_hub import RunningHub

FOLDER = RUNS / "hub"


@contextmanager
def open_hub(endpoint: str, local: bool, patience: float, *repo_ids: str | None) -> Iterator[Reader]:
    """Yield a reader of the Hub; with `local`, start this machine's own in runs/hub while it lasts.

    Its only user may write to the namespaces of `repo_ids`. After `patience` seconds without a byte a request
    counts as lost.
    """
    take_termination_as_interrupt()
    quiet_libraries()
    timeouts = Timeouts(read=patience)
    if not local:
        yield Reader(connect(endpoint, None, timeouts), Retries(tell=say))
        return
    owners = {repo_id.partition("/")[0] for repo_id in repo_ids if repo_id} - {"local"}
    with serve_own_hub(tuple(sorted(owners))) as hub:
        connection = connect(hub.endpoint, hub.token, timeouts, "runs/hub/token", folder="runs/hub")
        yield Reader(connection, Retries(tell=say))


@contextmanager
def serve_own_hub(owners: tuple[str, ...]) -> Iterator[RunningHub]:
    """Serve runs/hub while the context lasts; PublishError if another process does already."""
    from local_hub import HubSettings, RootInUseError, running_hub  # a web server, which no other push needs

    settings = HubSettings(FOLDER.absolute(), organizations=owners, run_spaces=True, start_spaces=False)
    with ExitStack() as stack:
        try:
            hub = stack.enter_context(running_hub(settings))
        except RootInUseError:
            raise PublishError(
                "runs/hub: another process is serving it; stop that one, or publish to it: instead of "
                "--local, set "
                "HF_TOKEN=$(cat runs/hub/token) and --endpoint http://127.0.0.1:8090, or where it is"
            ) from None
        yield hub

"""Running a Hub: in the foreground for people, on a free port in a thread for programs."""

from __future__ import annotations

import logging
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import uvicorn

from local_hub.application import create_application
from local_hub.connections import guarded_protocol, most_connections, raise_file_limit
from local_hub.hub import Hub
from local_hub.settings import HubSettings

_START_SECONDS = 30


@dataclass(frozen=True)
class RunningHub:
    """A Hub that answers now."""

    endpoint: str
    token: str
    """A token that may write: that of the first user who has one, else of the first user."""
    hub: Hub

    @property
    def control(self) -> str:
        """The address of the control plane with its token as a password; only opens with `allow_faults`."""
        return self.endpoint.replace("://", f"://control:{self.hub.control_token}@") + "/_test"


def _server(hub: Hub) -> uvicorn.Server:
    proxies, most = hub.settings.trusted_proxies, most_connections()
    config = uvicorn.Config(
        create_application(hub),
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=64 << 10,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        http=guarded_protocol(most, hub.settings.patience),
        # asyncio accepts as many, up to three times over, before it looks at the first of them
        backlog=min(512, most * 3 // 4),
    )
    return uvicorn.Server(config)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends without Nagle's delay (40 ms an answer) only where the protocol is named
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(512)
    return listener


def _end_orderly(*_: object) -> None:
    raise SystemExit(0)


def serve(settings: HubSettings) -> None:
    """Serve until interrupted; OSError if the port is taken, RootInUseError if the root is.

    uvicorn raises the signal that stopped it once more when it is done: by default that would end the process
    before the Hub is closed.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end_orderly)
    raise_file_limit()
    listener = _listen(settings.host, settings.port)
    with listener, Hub(settings) as hub:
        logging.getLogger("local_hub").info("serving %s", settings.root)
        _server(hub).run(sockets=[listener])


@contextmanager
def running_hub(settings: HubSettings) -> Iterator[RunningHub]:
    """Serve in a thread while the context lasts, on a free port of the settings' host.

    TimeoutError if the server does not start within 30 seconds.
    """
    listener = _listen(settings.host, 0)
    port = listener.getsockname()[1]
    with listener, Hub(replace(settings, port=port)) as hub:
        server = _server(hub)
        thread = threading.Thread(target=server.run, args=([listener],), name="local-hub", daemon=True)
        thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not server.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise TimeoutError(f"The Hub did not start within {_START_SECONDS} seconds.")
            time.sleep(0.01)
        grants = sorted(hub.settings.tokens, key=lambda grant: grant.role != "write")
        try:
            yield RunningHub(hub.settings.address, grants[0].token, hub)
        finally:
            server.should_exit = True
            thread.join()

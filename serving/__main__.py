"""Serve a release over HTTP.

\b
python -m serving runs/quickstart                 on http://127.0.0.1:8000, with docs at /docs
python -m serving me/finsent --revision v0.1.0    a model from the Hub
python -m serving runs/quickstart --host 0.0.0.0 --token-file /run/secrets/token
"""  # noqa: D301  (click wants the character itself)

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serving import health
from serving.cores import count_cores
from serving.limits import Limits
from serving.listener import open_port
from serving.model import ModelError
from serving.server import ServerSettings, serve

DEFAULTS = Limits()

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    source: Annotated[str, typer.Argument(metavar="RUN|HUB_ID", help="a run, a release folder or a Hub id")],
    revision: Annotated[str | None, typer.Option(help="commit, tag or branch on the Hub")] = None,
    host: Annotated[str, typer.Option(help="address to listen on; 0.0.0.0 for all")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, envvar="PORT", help="port; 0 takes any free one")
    ] = health.PORT,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="processes; default: one per core")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=64, help="threads per process")] = 1,
    token_file: Annotated[
        Path | None, typer.Option(help="file with the token that clients must send")
    ] = None,
    max_texts: Annotated[int, typer.Option(min=1, help="most texts in a request")] = DEFAULTS.texts,
    max_bytes: Annotated[int, typer.Option(min=1, help="most bytes in a request")] = DEFAULTS.body_bytes,
    max_waiting: Annotated[
        int, typer.Option(min=1, help="most waiting requests per process")
    ] = DEFAULTS.waiting,
    drain: Annotated[float, typer.Option(min=0, help="seconds to keep answering after SIGTERM")] = 2.0,
) -> None:
    """Serve until SIGTERM or Ctrl-C and exit 0; exit 1 with one line if something is wrong."""
    limits = Limits(texts=max_texts, body_bytes=max_bytes, waiting=max_waiting)
    try:
        token = read_token(token_file) if token_file else None
        listener = open_port(host, port)
        settings = ServerSettings(
            source, revision, host, listener.getsockname()[1], workers or count_cores(),
            threads, token, limits, drain,
        )  # fmt: skip
        announce(settings)
        raise typer.Exit(serve(settings, listener))
    except (ModelError, OSError) as error:
        typer.echo(f"serving: {error}", err=True)
        raise typer.Exit(1) from None


def read_token(path: Path) -> str:
    """Return the token in a file; OSError when it cannot be read, or holds none."""
    token = path.read_text(encoding="utf-8").strip()
    if not token:
        raise OSError(f"{path}: is empty; write the token into it")
    return token


def announce(settings: ServerSettings) -> None:
    """Say where the server is and how it uses the machine."""
    place = f"[{settings.host}]" if ":" in settings.host else settings.host
    guard = "a token is needed" if settings.token else "no token is needed"
    typer.echo(
        f"http://{place}:{settings.port} serves {settings.source} with {settings.workers} "
        f"process(es) of {settings.threads} thread(s); {guard}; docs at /docs",
        err=True,
    )


if __name__ == "__main__":
    app()

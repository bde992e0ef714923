"""`python -m local_hub serve`: a Hub on this machine."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from local_hub.accounts import parse_grant
from local_hub.cross_origin import is_loopback
from local_hub.errors import HubError
from local_hub.hub import RootInUseError
from local_hub.names import check_namespace
from local_hub.server import serve
from local_hub.settings import HubSettings, TokenGrant

app = typer.Typer(
    add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
)


@app.callback()
def local_hub() -> None:
    """A Hub on this machine for the official clients.

    \b
    python -m local_hub serve --root runs/hub
    """  # noqa: D301  (click wants the character itself)


def _grants(tokens: list[str]) -> tuple[TokenGrant, ...]:
    try:
        return tuple(parse_grant(token) for token in tokens)
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error), param_hint="--token") from None


def _organizations(names: list[str], grants: tuple[TokenGrant, ...]) -> tuple[str, ...]:
    try:
        checked = tuple(check_namespace(name) for name in names)
    except HubError as error:
        raise typer.BadParameter(error.message, param_hint="--org") from None
    taken = {grant.user for grant in grants} & set(checked)
    if taken:
        raise typer.BadParameter(f"{sorted(taken)[0]!r} is also a user.", param_hint="--org")
    return checked


def _tell(settings: HubSettings) -> None:
    """Say on stderr where the Hub is, and whose token opens it; never the token itself."""
    typer.echo(f"Hub at {settings.address}, data in {settings.root}", err=True)
    if not settings.tokens:
        typer.echo(
            f"User 'local' may write with the token in {settings.root / 'token'} (mode 0600)", err=True
        )
    if settings.allow_faults:
        typer.echo(f"/_test opens with the token in {settings.root / 'control'} (mode 0600)", err=True)
    if not is_loopback(settings.host):
        typer.secho(
            "WARNING: other machines can reach this Hub over unencrypted http. "
            "Anyone who can read the traffic can read the tokens.",
            fg=typer.colors.YELLOW,
            err=True,
        )


@app.command("serve")
def serve_command(
    root: Annotated[Path, typer.Option(help="Folder for all data; created if missing.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8090,
    token: Annotated[
        list[str] | None,
        typer.Option(help="USER:ROLE:TOKEN with the role read or write; @FILE reads the token from a file."),
    ] = None,
    org: Annotated[
        list[str] | None, typer.Option(help="Namespace in which every user may write; repeatable.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="Another host name under which to answer; repeatable.")
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(help="Address of a proxy whose X-Forwarded-For is trusted; repeatable."),
    ] = None,
    run_spaces: Annotated[bool, typer.Option("--run-spaces", help="Run pushed Spaces as processes.")] = False,
    allow_faults: Annotated[
        bool, typer.Option("--allow-faults", help="Open /_test, for tests only.")
    ] = False,
    free_account: Annotated[
        bool, typer.Option("--free-account", help="Answer 402 to Gradio and Docker Spaces on cpu-basic.")
    ] = False,
    commits_per_hour: Annotated[
        int | None, typer.Option(min=1, help="Limit per repository; beyond it, 429.")
    ] = None,
    requests_per_5_minutes: Annotated[
        int | None, typer.Option(min=1, help="Limit per user; beyond it, 429.")
    ] = None,
    xet: Annotated[bool, typer.Option(help="Offer Xet uploads and downloads.")] = True,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log each request to stderr.")] = False,
) -> None:
    """Serve a Hub until Ctrl-C.

    \b
    python -m local_hub serve --root runs/hub --run-spaces
    python -m local_hub serve --root ~/hub --port 9000 --token ann:write:@ann.token
    """  # noqa: D301
    if not is_loopback(host) and not token:
        raise typer.BadParameter("a host other than loopback needs --token.", param_hint="--host")
    grants = _grants(token or [])
    settings = HubSettings(
        root.absolute(),
        host,
        port,
        grants,
        _organizations(org or [], grants),
        hosts=tuple(allow_host or ()),
        trusted_proxies=tuple(trusted_proxy or ()),
        run_spaces=run_spaces,
        allow_faults=allow_faults,
        free_account=free_account,
        commits_per_hour=commits_per_hour,
        requests_per_5_minutes=requests_per_5_minutes,
        xet=xet,
    )
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO if verbose else logging.WARNING)
    _tell(settings)
    try:
        serve(settings)
    except (RootInUseError, OSError) as error:
        typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app(prog_name="python -m local_hub")

"""Plans and receipts for people: tables on a terminal, plain lines elsewhere."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from finsent.cli import console, plain, say
from finsent.release import Run
from publishing.hub.connection import Connection
from publishing.package.parcel import Parcel
from publishing.plan import Plan
from publishing.preflight import Account
from publishing.receipt import FOLDER, Check, Receipt

OWN_HUB = "http://127.0.0.1:8090"  # where `make hub` serves it
STYLES = {"add": "green", "change": "yellow", "delete": "red", "same": "dim", "keep": "dim"}


def size_text(size: float) -> str:
    """Return bytes as people say them."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def show_account(connection: Connection, account: Account) -> None:
    """Print where to and as whom; of the token only where it was found."""
    line = f"{connection.place} as {account.name}, token from {connection.source} (role {account.role})"
    say(line)


def show_plan(plan: Plan) -> None:
    """Print what a push would change."""
    kind = "" if plan.repo_type == "model" else f"{plan.repo_type} "
    place = f"at {plan.parent[:8]}" if plan.parent else "does not exist yet and will be created"
    head = f"{kind}{plan.repo_id}, {plan.revision} {place}"
    say(f"{head}: nothing to change" if plan.is_empty else head)
    if not plan.is_empty:
        _show_files(plan)
        line = f"to send: at most {size_text(plan.bytes_to_send)}; {plan.title!r}"
        say(line)
    _show_figures(plan)


def _show_files(plan: Plan) -> None:
    if not console.is_terminal:
        for file in plan.files:
            line = f"  {file.action:6s} {file.path} ({size_text(file.size)})"
            say(line)
        return
    table = Table("File", "", "Size")
    for file in plan.files:
        table.add_row(escape(file.path), f"[{STYLES[file.action]}]{file.action}[/]", size_text(file.size))
    console.print(table)


def _show_figures(plan: Plan) -> None:
    for one in plan.figures:
        if one.before is None or one.after is None or one.before == one.after:
            continue
        line = f"  {one.variant} {one.figure}: {one.before:g} -> {one.after:g}"
        say(line)
    for note in plan.notes:
        say(note)
    for warning in plan.warnings:
        say(f"warning: {warning}")


def show_check(check: Check) -> None:
    """Print what was found out; on stdout, for it is what was asked for."""
    print(plain(f"{check.name}: {check.state}, {check.detail}"))


def show_rollback(receipt: Receipt) -> None:
    """Print from where to where a rollback of this push goes."""
    say(f"{receipt.repo_id} goes back from {str(receipt.commit)[:8]} to {str(receipt.parent)[:8]}")


def show_receipt(receipt: Receipt, connection: Connection) -> None:
    """Print what a push left behind."""
    rows = [
        ("Repository", connection.place_of(_web(receipt))),
        ("State", receipt.state + (f": {receipt.message}" if receipt.message else "")),
        ("Commit", _commit(receipt)),
        ("Tag", receipt.tag or "none"),
        ("Files", f"{len(receipt.files)}, {size_text(sum(file.size for file in receipt.files))}"),
        *((f"Check: {check.name}", f"{check.state}, {check.detail}") for check in receipt.checks),
    ]
    if receipt.space is not None:
        space = receipt.space
        note = f"; {space.note}" if space.note else ""
        place = connection.place_of(f"spaces/{space.repo_id}")
        rows.append(("Space", f"{place}: {space.sdk}, {space.stage}{note}"))
    if console.is_terminal:
        table = Table(show_header=False)
        for key, value in rows:
            table.add_row(key, escape(value))
        console.print(table)
    else:
        for key, value in rows:
            say(f"{key}: {value}")


def show_places(parcel: Parcel, repo_id: str, demo: str | None, endpoint: str, local: bool) -> None:
    """Print in five lines where everything is; the Hub of --local has ended, and `make hub` serves it."""
    is_model = parcel.target.repo_type == "model"
    hub = OWN_HUB if local else endpoint
    say(f"Release:  {Run(parcel.run).release if is_model else parcel.folder}")
    say(f"Page:     {hub}/{'' if is_model else 'datasets/'}{repo_id}{' (run: make hub)' if local else ''}")
    say(f"Demo:     {f'{hub}/spaces/{demo}' if demo else 'none'}")
    say(f"Receipts: {parcel.run / FOLDER}")
    say(f"Undo:     python hub_push.py rollback {parcel.run}{' --local' if local else ''}")


def _web(receipt: Receipt) -> str:
    return ("" if receipt.repo_type == "model" else f"{receipt.repo_type}s/") + receipt.repo_id


def _commit(receipt: Receipt) -> str:
    if receipt.commit is None:
        return "none" if receipt.commit_is_certain else "not known; run again to find out"
    request = f", pull request {receipt.pull_request}" if receipt.pull_request else ""
    return f"{receipt.commit}{request}"

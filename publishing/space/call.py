"""Using a Space once, as its visitors will: the app by its API, the page by its address."""

from __future__ import annotations

import json
import subprocess
import sys

from finsent import REPOSITORY
from finsent.processes import run_alone
from publishing.hub import client
from publishing.hub.remote import Reader
from publishing.receipt import Check
from publishing.space.address import SpaceOptions
from publishing.space.forms import SpaceForm
from publishing.space.runtime import ASLEEP, RUNNING, SpaceState

TIMEOUT = 120  # seconds for the client to start, connect and ask once
# In a process of its own: the real client, which has threads that outlive a call.
_CALL = """\
import json, sys, gradio_client as g
client = g.Client(sys.argv[1], verbose=False)
print(json.dumps(client.predict("Profit rose", api_name="/classify")))
"""


def check_space(form: SpaceForm, state: SpaceState, space: SpaceOptions, reader: Reader) -> Check:
    """Return whether a Space answers, or why it was not asked."""
    if state.stage in ASLEEP:
        return Check(name="space", state="not run", detail=f"{state.stage}: {state.message}")
    if state.stage != RUNNING:
        return Check(name="space", state="failed", detail=f"{state.stage}: {state.message}")
    address = _find_address(space.repo_id, reader)
    return _call_app(address, space, reader) if form == "gradio" else _load_page(address, reader)


def _find_address(repo_id: str, reader: Reader) -> str:
    connection = reader.connection
    scheme = connection.endpoint.partition("://")[0]

    def ask() -> str:
        info, runtime = connection.api.space_info(repo_id), connection.api.get_space_runtime(repo_id).raw
        domains = runtime.get("domains")
        return f"{scheme}://{domains[0]['domain']}/" if domains else str(info.host or connection.endpoint)

    return reader.retries.retry("read Space", ask)


def _load_page(address: str, reader: Reader) -> Check:
    answer = reader.retries.retry(f"load {address}", lambda: client.get(address))
    good = answer.status_code == 200 and "<html" in answer.text.lower()
    detail = f"{answer.status_code} from {address}"
    return Check(name="space", state="ok" if good else "failed", detail=detail)


def _call_app(address: str, space: SpaceOptions, reader: Reader) -> Check:
    """Call /classify once with the real client."""
    home = space.outbox.parent / "client"
    home.mkdir(parents=True, exist_ok=True)
    environment = reader.connection.anonymous_environment(home)
    try:
        done = run_alone([sys.executable, "-c", _CALL, address], REPOSITORY, environment, TIMEOUT)
    except subprocess.TimeoutExpired:
        return Check(name="space", state="failed", detail=f"no answer from {address} after {TIMEOUT} s")
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return Check(name="space", state="failed", detail=reader.connection.redact(said)[:300])
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    label = answer.get("label") if isinstance(answer, dict) else answer
    return Check(name="space", state="ok", detail=f"/classify answers {label} at {address}")

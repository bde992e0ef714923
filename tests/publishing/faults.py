"""The fault matrix: which request of a push is broken how, and what has to hold afterwards."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from local_hub import RunningHub
from publishing.errors import PublishError
from publishing.hub.client import PatientAdapter
from publishing.hub.connection import Timeouts, connect
from publishing.hub.remote import Reader
from publishing.hub.retries import Retries
from publishing.receipt import Receipt
from publishing.space.address import SpaceOptions
from publishing.space.variables import MODEL_REVISION
from tests.publishing.conftest import WRITE, Publisher
from tests.publishing.small_space import small_space

TIMEOUT, DELAY = 1.0, 1.5  # seconds: of an impatient client, and of a server that is slower than that
CALM = 30.0  # seconds of patience where nothing is late, so that a busy machine breaks no other request
FOREVER = 1000
STEPS: dict[str, dict[str, Any]] = {
    "whoami": {"method": "GET", "path": "/api/whoami-v2"},
    "read the remote": {"method": "GET", "path": "/api/models/ID/revision/main"},
    "create": {"method": "POST", "path": "/api/repos/create"},
    "validate-yaml": {"method": "POST", "path": "/api/validate-yaml"},
    "preupload": {"method": "POST", "path": "/api/models/ID/preupload/"},
    "LFS batch": {"method": "POST", "path": r"/ID\.git/info/lfs/objects/batch"},
    "LFS PUT": {"method": "PUT", "path": "/_hub/large/"},
    "LFS verify": {"method": "POST", "path": r"/ID\.git/info/lfs/objects/verify"},
    "commit": {"method": "POST", "path": "/api/models/ID/commit/"},
    "tag": {"method": "POST", "path": "/api/models/ID/tag/"},
    "read back": {"method": "GET|HEAD", "path": "/ID/resolve/|/_hub/storage/"},
    "Space create": {"method": "POST", "path": "/api/repos/create", "skip": 1},
    "Space variables": {"method": "GET|POST", "path": "/api/spaces/ID-demo/variables"},
    "Space commit": {"method": "POST", "path": "/api/spaces/ID-demo/commit/"},
    "Space runtime": {"method": "GET", "path": "/api/spaces/ID-demo/runtime"},
}
FAULTS: dict[str, dict[str, Any]] = {
    "429": {"status": 429, "headers": {"Retry-After": "1"}},
    "500": {"status": 500},
    "503": {"status": 503},
    "504": {"status": 504},
    "reset": {"reset": True},
    "late": {"delay": DELAY},
    "done, answer lost": {"status": 504, "after": True},
}
TIMES = {"once": 1, "always": FOREVER}
PUBLISHED, UNCHANGED, EMPTY, TOLD = "done", "nothing", "empty", "told"


@dataclass(frozen=True)
class Cell:
    """One push with one fault."""

    publisher: Publisher
    space: SpaceOptions
    hub: RunningHub

    def order(self, step: str, fault: str, times: str) -> dict[str, Any]:
        fields = {**STEPS[step], **FAULTS[fault], "n": TIMES[times]}
        fields["path"] = fields["path"].replace("ID", self.publisher.repo_id)
        self._plan([fields])
        return fields

    def _plan(self, faults: list[Any]) -> None:
        answer = requests.post(f"{self.hub.control}/faults", json=faults, timeout=10)
        assert answer.ok, answer.text

    def _check_met(self, times: str, error: BaseException | None) -> None:
        """AssertionError when no request met the fault: a cell that breaks nothing proves nothing."""
        left = requests.get(f"{self.hub.control}/faults", timeout=10).json()
        assert not left or left[0]["n"] < TIMES[times], (
            f"no request met {left}; the push ended with {error!r}"
        )

    def run(self, step: str, fault: str, times: str, proof: str = "files") -> str:
        """Publish with the fault, say how it ended; after a bad end, check that the next push ends well."""
        fields = self.order(step, fault, times)
        with hurried(fields) if fault == "late" else nullcontext():
            error = self.publish(proof)
        self._check_met(times, error)
        self._plan([])
        if fault == "late":
            time.sleep(DELAY)  # whatever the server still works on is done now
        ending = self.judge(error)
        if ending != PUBLISHED:
            assert self.publish("files") is None
            assert self.judge(None) == PUBLISHED
        return ending

    def publish(self, proof: str) -> BaseException | None:
        try:
            self.publisher.publish(space=self.space, proof=proof)
        except (PublishError, KeyboardInterrupt) as error:
            return error
        return None

    def judge(self, error: BaseException | None) -> str:
        """Hold what stands on the Hub against what was said; AssertionError where they differ."""
        reader = self.fresh_reader()
        remote = reader.read(self.publisher.target)
        commits = self.publisher.commits() if remote.head else []
        published = [title for title in commits if title.startswith("Publish")]
        assert len(published) <= 1, f"{len(published)} commits"
        assert len(commits) <= 2
        receipts = self.publisher.receipts()
        if not published:
            assert error is not None and remote.tags == {}
            assert all(receipt.commit is None and receipt.state != "published" for receipt in receipts)
            assert reader.head(self.space.target) is None
            return EMPTY if remote.head else UNCHANGED
        assert remote.holds(self.publisher.parcel().manifest)
        assert set(remote.tags.values()) <= {remote.head}
        self._judge_space(reader, str(remote.head))
        return self._judge_receipt(receipts[-1], error, remote.head, remote.tags, str(error))

    def _judge_space(self, reader: Reader, head: str) -> None:
        if reader.head(self.space.target) is None:
            return
        pushed = [m for _, m in reader.messages(self.space.target, "main") if "Finsent-Push" in m]
        assert len(pushed) <= 1, f"{len(pushed)} commits in the Space"
        variables = reader.connection.api.get_space_variables(self.space.repo_id)
        if MODEL_REVISION in variables:
            assert variables[MODEL_REVISION].value == head

    def _judge_receipt(
        self, receipt: Receipt, error: BaseException | None, head: str | None, tags: dict[str, str], said: str
    ) -> str:
        assert receipt.commit == head and receipt.commit_is_certain, receipt
        assert WRITE not in receipt.model_dump_json() + said
        if error is None:
            assert receipt.state in ("published", "unchanged")
            assert tags == {"v0.1.0": head} and receipt.tag == "v0.1.0"
            assert receipt.checks[0].name == "files" and receipt.checks[0].state == "ok"
            assert receipt.space is not None and receipt.space.model_revision == head
            return PUBLISHED
        assert receipt.state in ("failed", "interrupted") and receipt.message
        assert receipt.tag is None or tags == {receipt.tag: head}
        return TOLD

    def fresh_reader(self) -> Reader:
        return Reader(self.publisher.reader.connection, Retries(tries=3, base=0.1))


@contextmanager
def hurried(fields: dict[str, Any]) -> Iterator[None]:
    """Be impatient with the requests that a fault meets, and with no other: a busy machine is late, too."""
    send, met = PatientAdapter.send, itertools.count()
    which = range(fields.get("skip", 0), fields.get("skip", 0) + fields["n"])

    def send_hurried(self: PatientAdapter, request: Any, *args: Any, **kwargs: Any) -> Any:
        method = re.fullmatch(fields["method"], request.method)
        path = re.search(fields["path"], request.path_url)
        hurry = method and path and next(met) in which
        patient = self._timeouts
        self._timeouts = (CALM, TIMEOUT) if hurry else patient
        try:
            return send(self, request, *args, **kwargs)
        finally:
            self._timeouts = patient

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PatientAdapter, "send", send_hurried)
        yield


def make_cell(hub: RunningHub, run: Path, repo_id: str, demo: Path, settle: float = 0.1) -> Cell:
    """`settle`: seconds to wait for what a slow server still does."""
    connection = connect(hub.endpoint, WRITE, Timeouts(CALM, CALM), "a test")
    publisher = Publisher(Reader(connection, Retries(tries=3, base=0.01, settle=settle)), run, repo_id)
    space = replace(small_space(repo_id, run, demo), choice="gradio", wait=60, poll=0.01)
    return Cell(publisher, space, hub)


def table(endings: dict[tuple[str, str, str], str]) -> str:
    """Return the matrix as Markdown; a cell says how the fault ended when it came once / always."""
    lines = ["| Request | " + " | ".join(FAULTS) + " |", "| --- |" + " --- |" * len(FAULTS)]
    for step in STEPS:
        cells = [
            " / ".join(endings.get((step, fault, times), "not run") for times in TIMES) for fault in FAULTS
        ]
        lines.append(f"| {step} | " + " | ".join(cells) + " |")
    return "\n".join(lines)

"""Publishing the demo: create, pin to the model's commit, commit its files, wait until it runs, call it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import requests
import yaml
from huggingface_hub import CommitOperationAdd
from huggingface_hub.utils._headers import build_hf_headers
from huggingface_hub.utils._http import get_session

from finsent import REPOSITORY
from model_card.card.document import split_card
from publishing.errors import LintError, PaymentError, PublishError
from publishing.hub.remote import Reader, Remote, Target, trailers
from publishing.hub.transfer import Sender
from publishing.package.check import check_manifest
from publishing.package.manifest import README, Manifest, read_folder
from publishing.plan import Plan, compare, title_of
from publishing.receipt import Check, SpaceRecord
from publishing.space.forms import ENTRY, HUB, PIN, DemoFiles, SpaceForm, Subject, pin, write_form

Form = Literal["auto", "gradio", "static", "zerogpu", "none"]
FAILED = ("BUILD_ERROR", "RUNTIME_ERROR", "CONFIG_ERROR", "NO_APP_FILE", "NO_APP_FILE_ERROR")
ASLEEP = ("STOPPED", "PAUSED", "SLEEPING")
PATIENCE_WITH_SLEEP = 5  # polls; a Space that was just pushed may still be called stopped
LOG_LINES = 25
CALL = 120  # seconds for the client to start, connect and ask once
MODEL_ID, MODEL_REVISION = "MODEL_ID", "MODEL_REVISION"


@dataclass(frozen=True)
class SpaceWish:
    """Which Space is wanted, and of what; `secrets` are names of environment variables."""

    repo_id: str
    form: Form
    subject: Subject
    outbox: Path
    source: DemoFiles = field(default_factory=DemoFiles)
    private: bool = False
    secrets: tuple[str, ...] = ()
    replace_card: bool = False
    wait: float = 600.0
    """Seconds until it must run."""
    poll: float = 2.0

    @property
    def target(self) -> Target:
        """The Space's repository."""
        return Target(self.repo_id, "space")


@dataclass(frozen=True)
class SpacePusher:
    """Publishes one Space for one model; `tell` says what happens."""

    reader: Reader
    wish: SpaceWish
    push: str
    tell: Callable[[str], None]

    def _subject(self, revision: str | None) -> Subject:
        """Return what is shown, at a commit of the Hub that this push goes to."""
        connection = self.reader.connection
        host = HUB if connection.is_public else connection.endpoint
        return replace(self.wish.subject, revision=revision, host=host)

    def _render(self, sdk: SpaceForm, revision: str | None) -> Path:
        """Write one form of the demo into the outbox and return that; LintError without such a form."""
        source, outbox = self.wish.source, self.wish.outbox
        if not source.has(sdk):
            raise LintError(
                f"{source.folder}: has no {ENTRY[sdk]} for the {sdk} form; publish with --space none"
            )
        shutil.rmtree(outbox, ignore_errors=True)
        write_form(sdk, self._subject(revision), outbox, files=source)
        return outbox

    def choose_sdk(self, remote: Remote) -> SpaceForm:
        """Return the form: the wished one; for auto that of the Space that is there, else Gradio."""
        if self.wish.form in ("gradio", "zerogpu"):
            return "gradio"
        if self.wish.form == "static":
            return "static"
        there = self._published_sdk(remote)
        if there is not None and self.wish.source.has(there):
            return there
        return "gradio" if self.wish.source.has("gradio") else "static"

    def _published_sdk(self, remote: Remote) -> SpaceForm | None:
        if remote.head is None or README not in remote.files:
            return None
        text = self.reader.content(self.wish.target, README, remote.head) or b""
        tree = yaml.safe_load(split_card(text.decode("utf-8", "replace")).front or "") or {}
        return "static" if tree.get("sdk") == "static" else "gradio" if tree.get("sdk") == "gradio" else None

    def plan(self, sdk: SpaceForm, remote: Remote, revision: str | None) -> tuple[Plan, Manifest]:
        """Return what changes in the Space, and its checked files. PublishError for somebody else's Space."""
        if self.wish.form == "zerogpu" and not _uses_zerogpu(self.wish.source):
            raise PublishError(
                f"{self.wish.source.folder}: no function is decorated with @spaces.GPU, so a ZeroGPU Space "
                "would die at its start; take --space gradio or static"
            )
        folder = self._render(sdk, revision)
        manifest = read_folder(folder, "space")
        check_manifest(manifest, folder, self.reader.connection.token)
        manifest = self._keep_edited_card(manifest, remote)
        files = compare(manifest, remote, kept=(README,))
        first = remote.last_push is None
        plan = Plan(
            repo_id=self.wish.repo_id,
            repo_type="space",
            revision="main",
            parent=remote.head,
            files=files,
            tag=None,
            title=title_of(self.wish.target, files, None, first),
            card="ours" if README in manifest.files else "theirs",
        )
        return plan, manifest

    def _keep_edited_card(self, manifest: Manifest, remote: Remote) -> Manifest:
        if remote.head is None or self.wish.replace_card or README not in remote.files:
            return manifest
        if remote.last_push is None:
            if len(self.reader.messages(self.wish.target, remote.head)) == 1:
                return manifest  # nothing but what its creation put there
            raise PublishError(
                f"spaces/{self.wish.repo_id}: is there, and was not published from here; name another with "
                "--space-id, or replace it with --card=ours"
            )
        content = self.reader.content(self.wish.target, README, remote.head) or b""
        same = Manifest("space", {}).replace(README, content).files[README].sha256 == remote.last_push.card
        return manifest if same else manifest.without(README)

    def publish(self, revision: str) -> tuple[SpaceRecord, list[Check]]:
        """Publish the Space for a model commit that is known to be there, and prove it."""
        remote = self.reader.read(self.wish.target)
        sdk = self.choose_sdk(remote)
        note = ""
        try:
            remote = self._create(remote, sdk, revision)
        except PaymentError as error:
            if not self.wish.source.has("static"):
                message = f"no Space: {error}, and there is no static form to fall back to"
                self.tell(message)
                return _no_space(self.wish.repo_id, message), []
            sdk, note = "static", f"static instead of Gradio, which this account may not have ({error})"
            self.tell(note)
            remote = self._create(remote, sdk, revision)
        commit = self._update(remote, sdk, revision)
        self.tell(f"waiting for the Space {self.wish.repo_id}")
        stage, message = self._wait(commit)
        record = SpaceRecord(
            repo_id=self.wish.repo_id, sdk=sdk, commit=commit, model_revision=revision, stage=stage, note=note
        )
        return record, [self._check(sdk, stage, message)]

    def _create(self, remote: Remote, sdk: SpaceForm, revision: str) -> Remote:
        options: dict[str, Any] = {"space_sdk": sdk, "private": self.wish.private}
        if sdk == "gradio":
            variables = {MODEL_ID: self.wish.subject.model, MODEL_REVISION: revision}
            options["space_variables"] = [{"key": key, "value": value} for key, value in variables.items()]
        if self.wish.form == "zerogpu":
            options["space_hardware"] = "zero-a10g"
        return Sender(self.reader, self.wish.target, self.push).ensure_repository(remote, **options)

    def _update(self, remote: Remote, sdk: SpaceForm, revision: str) -> str:
        """Pin, then commit what differs; return the head."""
        if sdk == "gradio":
            self.pin(revision)
        self._set_secrets()
        plan, manifest = self.plan(sdk, remote, revision)
        if plan.is_empty:
            return str(remote.head)
        card = manifest.files[README].sha256 if README in manifest.files else None
        body = f"Shows {self.wish.subject.model} at {revision}.\n\n{trailers(self.push, card, plan.card)}"
        return Sender(self.reader, self.wish.target, self.push).send(plan, manifest, remote, body).commit

    def repoint(self, sdk: str, revision: str) -> str:
        """Show another commit of the model with the Space as it stands; return its head."""
        remote = self.reader.read(self.wish.target)
        if sdk == "gradio":
            self.pin(revision)
        last = remote.last_push
        content = CommitOperationAdd(PIN, pin(self._subject(revision)).encode())
        title = f"Show {self.wish.subject.model} at {revision[:8]}"
        body = trailers(self.push, last.card if last else None, last.choice if last else None)
        sender = Sender(self.reader, self.wish.target, self.push)
        return sender.commit([content], str(remote.head), title, body).commit

    def pin(self, revision: str) -> None:
        """Point the running Space at a commit of the model."""
        api = self.reader.connection.api

        def values() -> dict[str, str | None]:
            found = api.get_space_variables(self.wish.repo_id)
            return {key: variable.value for key, variable in found.items()}

        for key, value in ((MODEL_ID, self.wish.subject.model), (MODEL_REVISION, revision)):
            if self.reader.retries.carry("read Space variables", values).get(key) != value:
                self._set_variable(key, value)

    def _set_variable(self, key: str, value: str) -> None:
        api = self.reader.connection.api

        def change() -> bool:
            api.add_space_variable(self.wish.repo_id, key, value)
            return True

        self.reader.retries.carry(f"set Space variable {key}", change)  # the same value again changes nothing

    def _set_secrets(self) -> None:
        for name in self.wish.secrets:
            value = os.environ.get(name)
            if not value:
                raise PublishError(f"--space-secret {name}: no such environment variable is set")

            def change(name: str = name, value: str = value) -> bool:
                self.reader.connection.api.add_space_secret(self.wish.repo_id, name, value)
                return True

            self.reader.retries.carry(f"set Space secret {name}", change)

    def _wait(self, commit: str) -> tuple[str, str]:
        """Return the stage that the Space came to and, after a failure, the end of its logs."""
        deadline = time.monotonic() + self.wish.wait
        stage, asleep = "UNKNOWN", 0
        while time.monotonic() < deadline:
            runtime = self._runtime()
            stage = str(runtime.stage)
            running = str(runtime.raw.get("sha") or commit)  # of which commit; not every Hub says
            if stage == "RUNNING" and running == commit:
                return stage, ""
            if stage in FAILED:
                return stage, f"{runtime.raw.get('errorMessage') or ''}\n{self._logs()}".strip()
            asleep = asleep + 1 if stage in ASLEEP else 0
            if asleep >= PATIENCE_WITH_SLEEP:
                return stage, "this Hub does not run it"
            self.reader.retries.sleep(self.wish.poll)
        return stage, f"not running after {self.wish.wait:.0f} s\n{self._logs()}"

    def _runtime(self) -> Any:  # noqa: ANN401  (SpaceRuntime)
        api = self.reader.connection.api
        return self.reader.retries.carry(
            "read Space runtime", lambda: api.get_space_runtime(self.wish.repo_id)
        )

    def _logs(self) -> str:
        lines: list[str] = []
        for kind in ("build", "run"):
            url = f"{self.reader.connection.endpoint}/api/spaces/{self.wish.repo_id}/logs/{kind}"
            lines += _read_events(self.reader, url)
        return self.reader.connection.redact("\n".join(lines[-LOG_LINES:]))

    def _check(self, sdk: SpaceForm, stage: str, message: str) -> Check:
        if stage in ASLEEP:
            return Check(name="space", state="not run", detail=f"{stage}: {message}")
        if stage != "RUNNING":
            return Check(name="space", state="failed", detail=f"{stage}: {message}")
        info = self.reader.retries.carry(
            "read Space", lambda: self.reader.connection.api.space_info(self.wish.repo_id)
        )
        runtime = self._runtime().raw
        address = _address(self.reader.connection.endpoint, info.host, runtime)
        return self._call(address) if sdk == "gradio" else self._load(address)

    def _load(self, address: str) -> Check:
        answer = self.reader.retries.carry(f"load {address}", lambda: get_session().get(address))
        good = answer.status_code == 200 and "<html" in answer.text.lower()
        return Check(
            name="space", state="ok" if good else "failed", detail=f"{answer.status_code} from {address}"
        )

    def _call(self, address: str) -> Check:
        """Call /classify once with the real client, in a process of its own."""
        code = (
            "import json, sys, gradio_client as g\n"
            "client = g.Client(sys.argv[1], verbose=False)\n"
            "print(json.dumps(client.predict('Profit rose', api_name='/classify')))\n"
        )
        environment = self.reader.connection.environment(self.wish.outbox.parent / "client")
        try:
            done = subprocess.run(
                [sys.executable, "-c", code, address],
                cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=CALL, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Check(name="space", state="failed", detail=f"no answer from {address} after {CALL} s")
        if done.returncode != 0:
            said = (done.stderr.strip().splitlines() or ["no message"])[-1]
            return Check(name="space", state="failed", detail=self.reader.connection.redact(said)[:300])
        answer = json.loads(done.stdout.strip().splitlines()[-1])
        label = answer.get("label") if isinstance(answer, dict) else answer
        return Check(name="space", state="ok", detail=f"/classify answers {label} at {address}")


def _uses_zerogpu(source: DemoFiles) -> bool:
    modules = [path for name, path in source.paths("gradio").items() if name.endswith(".py")]
    return any("spaces.GPU" in path.read_text(encoding="utf-8") for path in modules)


def _address(endpoint: str, host: str | None, runtime: dict[str, Any]) -> str:
    domains = runtime.get("domains") or []
    if domains:
        return f"{endpoint.partition('://')[0]}://{domains[0]['domain']}/"
    return str(host or endpoint)


def _no_space(repo_id: str, note: str) -> SpaceRecord:
    return SpaceRecord(repo_id=repo_id, sdk="none", commit=None, model_revision=None, stage="NONE", note=note)


def _read_events(reader: Reader, url: str) -> list[str]:
    """Return the lines of a log that comes as server-sent events; a live one is left when it pauses."""
    lines: list[str] = []
    headers = build_hf_headers(token=reader.connection.token)
    with (
        contextlib.suppress(requests.RequestException),
        get_session().get(url, headers=headers, stream=True) as answer,
    ):
        for line in answer.iter_lines():
            if line.startswith(b"data: "):
                lines.append(str(json.loads(line[6:]).get("data", "")).rstrip())
    return lines

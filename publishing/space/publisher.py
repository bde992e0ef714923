"""Publishing the demo: create, pin to the model's commit, commit its files, wait until it runs, use it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd

from finsent.cli import say, stage, tell_seconds
from finsent.release import CARD
from model_card.card.document import split_card
from model_card.lint.metadata import read_metadata
from publishing.errors import LintError, PaymentError, PublishError
from publishing.hub.remote import Reader, Remote, trailers
from publishing.hub.transfer import Sender
from publishing.package.card_text import even_text
from publishing.package.changes import compare_files
from publishing.package.check import check_manifest
from publishing.package.commit_message import commit_title
from publishing.package.manifest import Manifest, from_bytes, read_folder
from publishing.plan import Plan
from publishing.receipt import Check, SpaceRecord
from publishing.space.address import SpaceOptions
from publishing.space.call import check_space
from publishing.space.forms import ENTRY, HUB, PIN, DemoFiles, SpaceForm, Subject, pin, write_form
from publishing.space.runtime import wait_for_space
from publishing.space.variables import model_variables, pin_space, set_secrets


@dataclass(frozen=True)
class SpacePublisher:
    """Publishes one Space for one model."""

    reader: Reader
    options: SpaceOptions
    push_id: str

    @property
    def _sender(self) -> Sender:
        return Sender(self.reader, self.options.target, self.push_id)

    def _subject(self, revision: str | None) -> Subject:
        """Return what is shown, at a commit of the Hub that this push goes to."""
        connection = self.reader.connection
        host = HUB if connection.is_public else connection.endpoint
        return replace(self.options.subject, revision=revision, host=host)

    def _render(self, form: SpaceForm, revision: str | None) -> Path:
        """Write one form of the demo into the outbox and return that; LintError without such a form."""
        files, outbox = self.options.files, self.options.outbox
        if form not in self.options.subject.forms:
            raise LintError(
                f"--space {form}: no browser can run {self.options.subject.model}, because transformers.js "
                "has no classifier for its architecture; publish with --space gradio or none"
            )
        if not files.has(form):
            raise LintError(
                f"{files.folder}: has no {ENTRY[form]} for the {form} form; publish with --space none"
            )
        shutil.rmtree(outbox, ignore_errors=True)
        write_form(form, self._subject(revision), outbox, files=files)
        return outbox

    def _can_show(self, form: SpaceForm) -> bool:
        return form in self.options.subject.forms and self.options.files.has(form)

    def choose_form(self, remote: Remote) -> SpaceForm:
        """Return the form that was chosen; for auto that of the Space that is there, else Gradio."""
        if self.options.choice in ("gradio", "zerogpu"):
            return "gradio"
        if self.options.choice == "static":
            return "static"
        there = self._published_form(remote)
        if there is not None and self._can_show(there):
            return there
        return "gradio" if self._can_show("gradio") else "static"

    def _published_form(self, remote: Remote) -> SpaceForm | None:
        if remote.head is None or CARD not in remote.files:
            return None
        text = self.reader.content(self.options.target, CARD, remote.head) or b""
        tree = read_metadata(split_card(even_text(text.decode("utf-8", "replace"))))
        return "static" if tree.get("sdk") == "static" else "gradio" if tree.get("sdk") == "gradio" else None

    def plan(self, form: SpaceForm, remote: Remote, revision: str | None) -> tuple[Plan, Manifest]:
        """Return what changes in the Space, and its checked files. PublishError for somebody else's Space."""
        demo = self.options.files
        if self.options.choice == "zerogpu" and not _uses_zerogpu(demo):
            raise PublishError(
                f"{demo.folder}: no function is decorated with @spaces.GPU, so a ZeroGPU Space "
                "would fail to start; use --space gradio or static"
            )
        folder = self._render(form, revision)
        manifest = read_folder(folder, "space")
        check_manifest(manifest, folder, self.reader.connection.token)
        manifest = self._keep_edited_card(manifest, remote)
        files = compare_files(manifest, remote, kept=(CARD,))
        plan = Plan(
            repo_id=self.options.repo_id, repo_type="space", revision="main", parent=remote.head,
            files=files, tag=None, card="ours" if CARD in manifest.files else "theirs",
            title=commit_title(self.options.target, files, None, first=remote.last_push is None),
        )  # fmt: skip
        return plan, manifest

    def _keep_edited_card(self, manifest: Manifest, remote: Remote) -> Manifest:
        if remote.head is None or self.options.replace_card or CARD not in remote.files:
            return manifest
        if remote.last_push is None:
            if len(self.reader.messages(self.options.target, remote.head)) == 1:
                return manifest  # nothing but what its creation put there
            raise PublishError(
                f"spaces/{self.options.repo_id}: exists and was not published from here; choose another "
                "with --space-id, or replace it with --card=ours"
            )
        content = self.reader.content(self.options.target, CARD, remote.head) or b""
        unedited = from_bytes(CARD, content).sha256 == remote.last_push.card
        return manifest if unedited else manifest.without(CARD)

    def publish(self, revision: str) -> tuple[SpaceRecord, list[Check]]:
        """Publish the Space for a model commit that is known to be there, and prove it."""
        remote = self.reader.read(self.options.target)
        form, note = self.choose_form(remote), ""
        try:
            remote = self._create(remote, form, revision)
        except PaymentError as error:
            if not self._can_show("static"):
                message = f"no Space: {error}, and there is no static form to fall back to"
                say(message)
                return _no_space(self.options.repo_id, message), []
            form, note = "static", f"static instead of Gradio, which this account cannot use ({error})"
            say(note)
            remote = self._create(remote, form, revision)
        return self._publish_form(form, remote, revision, note)

    def _publish_form(
        self, form: SpaceForm, remote: Remote, revision: str, note: str
    ) -> tuple[SpaceRecord, list[Check]]:
        """Commit one form to a Space that is there, wait until it runs, and use it."""
        commit = self._update(remote, form, revision)
        stage(f"waiting for the Space {self.options.repo_id}, at most {tell_seconds(self.options.wait)}")
        state = wait_for_space(self.options, commit, self.reader)
        record = SpaceRecord(
            repo_id=self.options.repo_id, sdk=form, commit=commit, model_revision=revision,
            stage=state.stage, note=note,
        )  # fmt: skip
        return record, [check_space(form, state, self.options, self.reader)]

    def _create(self, remote: Remote, form: SpaceForm, revision: str) -> Remote:
        options: dict[str, Any] = {"space_sdk": form, "private": self.options.private}
        if form == "gradio":
            variables = model_variables(self.options.subject.model, revision)
            options["space_variables"] = [{"key": key, "value": value} for key, value in variables.items()]
        if self.options.choice == "zerogpu":
            options["space_hardware"] = "zero-a10g"
        return self._sender.ensure_repository(remote, **options)

    def _update(self, remote: Remote, form: SpaceForm, revision: str) -> str:
        """Pin, then commit what differs; return the head."""
        model = self.options.subject.model
        if form == "gradio":
            pin_space(self.options.repo_id, model, revision, self.reader)
        set_secrets(self.options.repo_id, self.options.secrets, self.reader)
        plan, manifest = self.plan(form, remote, revision)
        if plan.is_empty:
            return str(remote.head)
        card = manifest.files[CARD].sha256 if CARD in manifest.files else None
        body = f"Shows {model} at {revision}.\n\n{trailers(self.push_id, card, plan.card)}"
        return self._sender.send(plan, manifest, remote, body).commit

    def repoint(self, form: str, revision: str) -> str:
        """Show another commit of the model with the Space as it is; return its head."""
        remote, model = self.reader.read(self.options.target), self.options.subject.model
        if form == "gradio":
            pin_space(self.options.repo_id, model, revision, self.reader)
        last = remote.last_push
        content = CommitOperationAdd(PIN, pin(self._subject(revision)).encode())
        body = trailers(self.push_id, last.card if last else None, last.choice if last else None)
        title = f"Show {model} at {revision[:8]}"
        return self._sender.commit([content], str(remote.head), title, body).commit


def _uses_zerogpu(source: DemoFiles) -> bool:
    modules = [path for name, path in source.paths("gradio").items() if name.endswith(".py")]
    return any("spaces.GPU" in path.read_text(encoding="utf-8") for path in modules)


def _no_space(repo_id: str, note: str) -> SpaceRecord:
    return SpaceRecord(repo_id=repo_id, sdk="none", commit=None, model_revision=None, stage="NONE", note=note)

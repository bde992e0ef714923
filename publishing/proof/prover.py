"""Reading a publication back and using it as its users will, before anyone is told that it is done."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download

from finsent import REPOSITORY
from finsent.environment import environment_in
from finsent.processes import run_alone
from finsent.release import CARD, METRICS, Run
from model_card.measure.metrics_file import Metrics, read_metrics
from publishing.errors import PublishError
from publishing.hub import client
from publishing.hub.connection import Connection
from publishing.hub.remote import Reader, RemoteFile, Target
from publishing.hub.retries import status_of
from publishing.package.manifest import hash_file
from publishing.proof.harmless import copy_harmless
from publishing.proof.read_model import ModelLocation, ReadingJob
from publishing.receipt import Check

TOLERANCE = 1e-6  # |Δp| between a file here and the same bytes from the Hub, on one machine
FOREIGN_TOLERANCE = 0.02  # |Δp| between this machine and the one that measured, for int8
TIMEOUT = 900  # seconds a process
# Beside the card's examples: what breaks a tokenizer that lost its rules on the way.
HARD_TEXTS = ("", "profit " * 400, "$AAPL 📈 https://t.co/x 株価が上昇 " + "한국어" * 200)


@dataclass(frozen=True)
class Prover:
    """Proves one commit of one repository in an empty home of its own."""

    reader: Reader
    target: Target
    commit: str
    home: Path

    @property
    def connection(self) -> Connection:
        """The Hub that is read."""
        return self.reader.connection

    def download(self, paths: list[str]) -> Path:
        """Fetch files at the commit into an empty cache and return the folder of the snapshot."""
        cache = self.home / "hub"

        def fetch(path: str) -> Callable[[], str]:
            return lambda: hf_hub_download(
                self.target.repo_id,
                path,
                repo_type=self.target.repo_type,
                revision=self.commit,
                cache_dir=cache,
                endpoint=self.connection.endpoint,
                token=self.connection.token,
            )

        for path in paths:
            self.reader.retries.retry(f"read back {path}", fetch(path))
        name = f"{self.target.repo_type}s--{self.target.repo_id.replace('/', '--')}"
        return cache / name / "snapshots" / self.commit

    def check_files(self, snapshot: Path, expected: dict[str, str]) -> Check:
        """Compare every file's sha256 with what was sent (path -> sha256)."""
        wrong = [
            path for path, sha256 in expected.items() if hash_file(snapshot / path, path).sha256 != sha256
        ]
        if wrong:
            return Check(name="files", state="failed", detail=f"the download differs for {', '.join(wrong)}")
        return Check(name="files", state="ok", detail=f"{len(expected)} files, sha256 of each")

    def check_objects(self, snapshot: Path, files: dict[str, RemoteFile]) -> Check:
        """Compare what came back with the Hub's own object ids, for a publication that we did not make."""
        wrong = [path for path, there in files.items() if not there.equals(hash_file(snapshot / path, path))]
        if wrong:
            return Check(name="files", state="failed", detail=f"not as listed by the Hub: {', '.join(wrong)}")
        return Check(name="files", state="ok", detail=f"{len(files)} files, by the object ids of the tree")

    def check_measured(self, snapshot: Path) -> Check:
        """Compare the weights with the sha256 under which metrics.json measured them."""
        for one in read_metrics(snapshot / METRICS).variants:
            if not (snapshot / one.file).is_file():
                return Check(
                    name="measured", state="failed", detail=f"{one.file} was measured, but is missing"
                )
            if hash_file(snapshot / one.file, one.file).sha256 != one.sha256:
                return Check(name="measured", state="failed", detail=f"{one.file} is not the file measured")
        return Check(name="measured", state="ok", detail="the weights are the measured ones")

    def check_loading(self, snapshot: Path, release: Path) -> Check:
        """Load what we published with pipeline() and ORTModel by Hub id; compare with the release."""
        metrics = read_metrics(snapshot / METRICS)
        models = [
            ModelLocation(name=self.target.repo_id, revision=self.commit),
            ModelLocation(name=str(release.resolve()), revision=None),
        ]
        job = self._write_job(metrics, models, foreign=False)
        answer, error = self._run("publishing.proof.read_model", self.connection.environment(self.home), job)
        if error:
            return Check(name="load", state="failed", detail=error)
        return _compare(answer[0], answer[1], TOLERANCE, "by Hub id")

    def check_foreign_loading(self, snapshot: Path) -> Check:
        """Load what a stranger published from its harmless files, offline; compare with its metrics.json."""
        metrics = read_metrics(snapshot / METRICS)
        onnx = [one.file for one in metrics.variants if one.file.endswith(".onnx")]
        folder = copy_harmless(snapshot, onnx, self.home / "model")
        models = [ModelLocation(name=str(folder), revision=None)]
        job = self._write_job(metrics, models, foreign=True)
        answer, error = self._run("publishing.proof.read_model", self._offline_environment(), job)
        if error:
            return Check(name="load", state="failed", detail=error)
        file = metrics.variant(metrics.default_variant).file
        stated = {file: [example.scores for example in metrics.examples]}
        got = {file: answer[0].get(file, [])[: len(metrics.examples)]}
        return _compare(got, stated, FOREIGN_TOLERANCE, "from the downloaded files")

    def _write_job(self, metrics: Metrics, models: list[ModelLocation], foreign: bool) -> Path:
        texts = [*(example.text for example in metrics.examples), *HARD_TEXTS]
        onnx = [one.file for one in metrics.variants if one.file.endswith(".onnx")]
        path = self.home / "reading.json"
        job = ReadingJob(models=models, onnx_files=onnx, texts=texts, foreign=foreign)
        path.write_text(job.model_dump_json(), encoding="utf-8")
        return path

    def _offline_environment(self) -> dict[str, str]:
        """Return what a process gets that handles a stranger's files: no token, no Hub."""
        return environment_in(self.home) | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}

    def check_card(self, snapshot: Path) -> Check:
        """Execute the card's code blocks that finsent rendered, against the files that came back."""
        endpoint = [self.connection.endpoint] if self._is_hosted() else []
        return self._run_snippets(snapshot, self.connection.environment(self.home), "rendered", *endpoint)

    def check_foreign_card(self, snapshot: Path) -> Check:
        """Execute every code block of a stranger's card, without our token."""
        return self._run_snippets(snapshot, self._offline_environment(), "all")

    def _run_snippets(self, snapshot: Path, environment: dict[str, str], *job: str) -> Check:
        run = self.home / "run"
        run.mkdir()
        Run(run).release.symlink_to(snapshot, target_is_directory=True)
        results, error = self._run("publishing.proof.run_snippets", environment, run, *job)
        if error:
            return Check(name="card", state="failed", detail=error)
        failed = [one for one in results if one["state"] == "failed"]
        if failed:
            detail = "; ".join(f"{CARD}:{one['line']}: {one['detail']}" for one in failed)
            return Check(name="card", state="failed", detail=self.connection.redact(detail)[:1000])
        counts = {state: sum(one["state"] == state for one in results) for state in ("ok", "not run")}
        skipped = [f"line {one['line']} {one['detail']}" for one in results if one["state"] == "not run"]
        detail = f"{counts['ok']} code blocks ran" + (f", not: {'; '.join(skipped)}" if skipped else "")
        return Check(name="card", state="ok", detail=detail)

    def _is_hosted(self) -> bool:
        """Tell whether the Hub serves the model, and wait until it has loaded it.

        On the real Hub that is up to a provider, and so never sure for what was just published.
        """
        if self.connection.is_public:
            return False
        url = f"{self.connection.endpoint}/hf-inference/models/{self.target.repo_id}"

        def ask() -> None:
            client.post(url, self.connection.token, {"inputs": "Profit rose"})

        try:
            self.reader.retries.retry("hosted inference", ask)
        except PublishError as error:
            return status_of(error) not in (404, 405)  # any other refusal is for the blocks to meet
        return True

    def check_rows(self, snapshot: Path) -> Check:
        """Load a data set with `datasets` by its Hub id and compare the number of rows with its files."""
        environment = self.connection.environment(self.home)
        arguments = (snapshot, self.target.repo_id, self.commit)
        answer, error = self._run("publishing.proof.read_dataset", environment, *arguments)
        if error or answer[0] != answer[1]:
            detail = error or f"loaded {answer[0]}, files hold {answer[1]}"
            return Check(name="rows", state="failed", detail=detail)
        rows = ", ".join(f"{name} {count}" for name, count in answer[0].items())
        return Check(name="rows", state="ok", detail=rows)

    def _run(self, module: str, environment: dict[str, str], *arguments: Path | str) -> tuple[Any, str]:
        """Run a module in a fresh process; return what it printed as JSON, or None and what went wrong."""
        command = [sys.executable, "-m", module, *map(str, arguments)]
        try:
            done = run_alone(command, REPOSITORY, environment, TIMEOUT)
        except subprocess.TimeoutExpired:
            return None, f"{module}: still running after {TIMEOUT} s"
        if done.returncode != 0:
            said = done.stderr.strip().splitlines() or ["no message"]
            return None, self.connection.redact(said[-1])[:500]
        return json.loads(done.stdout.strip().splitlines()[-1]), ""


def _compare(got: dict[str, Any], expected: dict[str, Any], tolerance: float, way: str) -> Check:
    """Compare file -> text -> label -> probability; `way` says how it was loaded."""
    worst = 0.0
    for file, rows in expected.items():
        if len(got[file]) != len(rows):
            detail = f"{file}: answers {len(got[file])} texts of {len(rows)}"
            return Check(name="load", state="failed", detail=detail)
        for text, (one, other) in enumerate(zip(got[file], rows, strict=True)):
            if set(one) != set(other):
                return Check(
                    name="load", state="failed", detail=f"{file}: labels {set(one)}, not {set(other)}"
                )
            difference = max(abs(one[label] - other[label]) for label in other)
            if difference > tolerance:
                detail = f"{file}: text {text} differs by {difference:.2g}, allowed is {tolerance:g}"
                return Check(name="load", state="failed", detail=detail)
            worst = max(worst, difference)
    texts = len(next(iter(expected.values())))
    detail = f"pipeline() and ORTModel {way}, {len(got)} files, {texts} texts, largest |Δp| {worst:.1g}"
    return Check(name="load", state="ok", detail=detail)


@contextmanager
def empty_home() -> Iterator[Path]:
    """Yield a folder for a cache that holds nothing yet and is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="finsent-proof-") as folder:
        yield Path(folder)

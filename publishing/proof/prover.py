"""Reading a publication back and using it as its users will, before anyone is told that it is done."""

from __future__ import annotations

import hashlib
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
from finsent.release import CARD, METRICS, Run
from model_card.measure.metrics import read_metrics
from publishing.errors import PublishError
from publishing.hub import client
from publishing.hub.connection import Connection
from publishing.hub.remote import Reader, RemoteFile, Target
from publishing.hub.retries import status_of
from publishing.package.manifest import hash_file
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
            return Check(name="files", state="failed", detail=f"other bytes came back of {', '.join(wrong)}")
        return Check(name="files", state="ok", detail=f"{len(expected)} files, sha256 of each")

    def check_objects(self, snapshot: Path, files: dict[str, RemoteFile]) -> Check:
        """Compare what came back with the Hub's own object ids, for a publication that we did not make."""
        wrong = [path for path, there in files.items() if not there.equals(hash_file(snapshot / path, path))]
        if wrong:
            return Check(name="files", state="failed", detail=f"not what the tree says: {', '.join(wrong)}")
        return Check(name="files", state="ok", detail=f"{len(files)} files, by the object ids of the tree")

    def check_measured(self, snapshot: Path) -> Check:
        """Compare the weights with the sha256 under which metrics.json measured them."""
        for one in read_metrics(snapshot / METRICS).variants:
            if hash_file(snapshot / one.file, one.file).sha256 != one.sha256:
                return Check(name="measured", state="failed", detail=f"{one.file} is not the file measured")
        return Check(name="measured", state="ok", detail="the weights are those that were measured")

    def check_loading(self, snapshot: Path, release: Path | None) -> Check:
        """Load with pipeline() and ORTModel by Hub id; compare with the release, else with metrics.json."""
        metrics = read_metrics(snapshot / METRICS)
        texts = [*(example.text for example in metrics.examples), *HARD_TEXTS]
        models = [ModelLocation(name=self.target.repo_id, revision=self.commit)]
        if release is not None:
            models.append(ModelLocation(name=str(release.resolve()), revision=None))
        onnx = [one.file for one in metrics.variants if one.file.endswith(".onnx")]
        job = self.home / "reading.json"
        job.write_text(ReadingJob(models=models, onnx_files=onnx, texts=texts).model_dump_json(), "utf-8")
        answer, error = self._run("publishing.proof.read_model", job)
        if error:
            return Check(name="load", state="failed", detail=error)
        if release is not None:
            return _compare(answer[0], answer[1], TOLERANCE)
        file = metrics.variant(metrics.default_variant).file
        stated = {file: [example.scores for example in metrics.examples]}
        return _compare({file: answer[0][file][: len(metrics.examples)]}, stated, FOREIGN_TOLERANCE)

    def check_card(self, snapshot: Path) -> Check:
        """Execute every code block of the card that came back, against the files that came back."""
        run = self.home / "run"
        run.mkdir()
        Run(run).release.symlink_to(snapshot, target_is_directory=True)
        endpoint = [self.connection.endpoint] if self._is_hosted() else []
        outcomes, error = self._run("publishing.proof.run_snippets", run, *endpoint)
        if error:
            return Check(name="card", state="failed", detail=error)
        failed = [one for one in outcomes if one["state"] == "failed"]
        if failed:
            detail = "; ".join(f"{CARD}:{one['line']}: {one['detail']}" for one in failed)
            return Check(name="card", state="failed", detail=self.connection.redact(detail)[:1000])
        counts = {state: sum(one["state"] == state for one in outcomes) for state in ("ok", "not run")}
        skipped = [f"line {one['line']} {one['detail']}" for one in outcomes if one["state"] == "not run"]
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
        answer, error = self._run("publishing.proof.read_dataset", snapshot, self.target.repo_id, self.commit)
        if error or answer[0] != answer[1]:
            detail = error or f"loaded {answer[0]}, files hold {answer[1]}"
            return Check(name="rows", state="failed", detail=detail)
        rows = ", ".join(f"{name} {count}" for name, count in answer[0].items())
        return Check(name="rows", state="ok", detail=rows)

    def _run(self, module: str, *arguments: Path | str) -> tuple[Any, str]:
        """Run a module in a fresh process; return what it printed as JSON, or None and what went wrong."""
        environment = self.connection.environment(self.home)
        try:
            done = subprocess.run(
                [sys.executable, "-m", module, *map(str, arguments)],
                cwd=REPOSITORY, env=environment, capture_output=True, text=True, encoding="utf-8",
                timeout=TIMEOUT, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None, f"{module}: still running after {TIMEOUT} s"
        if done.returncode != 0:
            said = done.stderr.strip().splitlines() or ["no message"]
            return None, self.connection.redact(said[-1])[:500]
        return json.loads(done.stdout.strip().splitlines()[-1]), ""


def _compare(got: dict[str, Any], expected: dict[str, Any], tolerance: float) -> Check:
    """Compare file -> text -> label -> probability."""
    worst = 0.0
    for file, rows in expected.items():
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
    detail = f"pipeline() and ORTModel by Hub id, {len(got)} files, {texts} texts, largest |Δp| {worst:.1g}"
    return Check(name="load", state="ok", detail=detail)


@contextmanager
def empty_home() -> Iterator[Path]:
    """Yield a folder for a cache that holds nothing yet and is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="finsent-proof-") as folder:
        yield Path(folder)


def digest(content: bytes) -> str:
    """Return a sha256 in hex."""
    return hashlib.sha256(content).hexdigest()

"""What a user of a published model gets: pipeline() and ORTModel load it by its Hub id and answer some texts.

`python -m publishing.proof.read_model JOB.json` prints JSON. It is a process of its own, with an empty cache
and HF_ENDPOINT set, because that is what users have; the job names the models and the texts. What a stranger
published is loaded from a folder of its harmless files instead, without a network and without a token.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from finsent.errors import FinsentError
from finsent.release import WEIGHTS
from publishing.hub import client
from publishing.hub.connection import Timeouts
from publishing.proof.harmless import refuse_code

FileScores = dict[str, list[dict[str, float]]]


class ModelLocation(BaseModel):
    """A Hub id at a revision, or a folder, whose revision is None."""

    name: str
    revision: str | None


class ReadingJob(BaseModel):
    """What to load and what to ask; `onnx_files` are paths in the repository."""

    models: list[ModelLocation]
    onnx_files: list[str]
    texts: list[str]
    foreign: bool = False
    """Whether a stranger published what lies in the folders that `models` names."""


def read_scores(job: ReadingJob) -> list[FileScores]:
    """Return, for each model, file -> the scores (label -> probability) of every text."""
    for model in job.models if job.foreign else []:
        refuse_code(Path(model.name), job.onnx_files)
    return [_read_model(model, job) for model in job.models]


def _read_model(model: ModelLocation, job: ReadingJob) -> FileScores:
    from optimum.onnxruntime import ORTModelForSequenceClassification  # slow to import, and only needed here
    from transformers import AutoTokenizer, pipeline

    plain = pipeline(
        "text-classification", model=model.name, revision=model.revision, device="cpu",
        trust_remote_code=False, model_kwargs={"use_safetensors": True},
    )  # fmt: skip
    found = {WEIGHTS: _ask(plain, job.texts)}
    tokenizer = AutoTokenizer.from_pretrained(model.name, revision=model.revision, trust_remote_code=False)
    for path in job.onnx_files:
        folder, _, name = path.rpartition("/")
        loaded = ORTModelForSequenceClassification.from_pretrained(
            model.name, revision=model.revision, subfolder=folder, file_name=name, trust_remote_code=False
        )
        onnx = pipeline("text-classification", model=loaded, tokenizer=tokenizer, device="cpu")
        found[path] = _ask(onnx, job.texts)
    return found


def _ask(classifier: Any, texts: list[str]) -> list[dict[str, float]]:  # noqa: ANN401  (a pipeline, untyped)
    return [{one["label"]: float(one["score"]) for one in classifier(text, top_k=None)} for text in texts]


def main() -> None:
    """Read a job from the file that is named and print what was found."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    job = ReadingJob.model_validate_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if endpoint := os.environ.get("HF_ENDPOINT"):
        client.use_hub(endpoint, Timeouts.connect, Timeouts.read)
    try:
        print(json.dumps(read_scores(job)))
    except FinsentError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

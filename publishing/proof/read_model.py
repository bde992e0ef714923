"""What a user of a published model gets: pipeline() and ORTModel load it by its Hub id and answer some texts.

`python -m publishing.proof.read_model JOB.json` prints JSON. It is a process of its own, with an empty cache
and HF_ENDPOINT set, because that is what users have; the job names the sources and the texts.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

from pydantic import BaseModel

Scores = dict[str, list[dict[str, float]]]


class Source(BaseModel):
    """A Hub id at a revision, or a folder, whose revision is None."""

    name: str
    revision: str | None


class ReadingJob(BaseModel):
    """What to load and what to ask; `onnx_files` are names below onnx/."""

    sources: list[Source]
    onnx_files: list[str]
    texts: list[str]


def read_scores(job: ReadingJob) -> list[Scores]:
    """Return, for each source, file -> the scores (label -> probability) of every text."""
    return [_of_source(source, job) for source in job.sources]


def _of_source(source: Source, job: ReadingJob) -> Scores:
    from optimum.onnxruntime import ORTModelForSequenceClassification  # slow to import, and only needed here
    from transformers import AutoTokenizer, pipeline

    plain = pipeline("text-classification", model=source.name, revision=source.revision, device="cpu")
    found = {"model.safetensors": _ask(plain, job.texts)}
    tokenizer = AutoTokenizer.from_pretrained(source.name, revision=source.revision)
    for name in job.onnx_files:
        model = ORTModelForSequenceClassification.from_pretrained(
            source.name, revision=source.revision, subfolder="onnx", file_name=name
        )
        found[f"onnx/{name}"] = _ask(
            pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu"), job.texts
        )
    return found


def _ask(classifier: Any, texts: list[str]) -> list[dict[str, float]]:  # noqa: ANN401  (a pipeline, untyped)
    return [{one["label"]: float(one["score"]) for one in classifier(text, top_k=None)} for text in texts]


def main() -> None:
    """Read a job from the file that is named and print what was found."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    job = ReadingJob.model_validate_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(json.dumps(read_scores(job)))


if __name__ == "__main__":
    main()

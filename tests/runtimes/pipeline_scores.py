"""Print the scores of `pipeline("text-classification")` as JSON, in whatever environment this file is run.

python pipeline_scores.py RELEASE < texts.json > scores.json     label -> score for each text, in order
"""

from __future__ import annotations

import json
import sys

import transformers
from transformers import pipeline


def main() -> None:
    """Read texts, write the version, the scores of every label, and the threshold that the config holds."""
    classifier = pipeline("text-classification", model=sys.argv[1], device="cpu")
    answers = [classifier(text, top_k=None) for text in json.load(sys.stdin)]
    scores = [{one["label"]: one["score"] for one in labels} for labels in answers]
    threshold = getattr(classifier.model.config, "finsent_abstain_below", None)
    found = {"version": transformers.__version__, "scores": scores, "abstain_below": threshold}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()

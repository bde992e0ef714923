"""What several stages share: recipe, labels, licences, text, data, base model, training, scoring, release."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

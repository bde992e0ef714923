"""What several stages share: recipe, labels, licences, text, data, base model, training, scoring, release."""

from pathlib import Path

__version__ = "0.2.0"  # of the project; a release has that of its recipe

REPOSITORY = Path(__file__).resolve().parent.parent

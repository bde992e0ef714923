"""The stages up to fitted weights (recipe, data, encoder, training), and what all stages share.

Shared are scoring, release (a folder and its file names), licences, text, mirror and errors.
"""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

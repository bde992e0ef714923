"""What several stages share: recipe, labels, licences, text, data, base model, training, scoring, release."""

__version__ = "0.1.0"

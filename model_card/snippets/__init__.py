"""The code blocks of a card, executed as a reader would."""

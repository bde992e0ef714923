"""Which words decide an answer: methods, how well they do, and what they say of the texts in the card."""

"""What a reader of the news expects of a classifier, as suites of cases; the card prints their rates."""

"""What a careful reader expects of a classifier, as suites of cases; the card prints their rates."""

"""What is said of a release: measured, rendered, linted and executed."""

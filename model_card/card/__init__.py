"""From recipe and metrics.json to README.md and its figures."""

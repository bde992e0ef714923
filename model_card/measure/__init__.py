"""From a release to metrics.json: every file on the same test rows."""

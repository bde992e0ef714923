"""Publishing a folder to a Hub: checked, planned, sent as one commit, read back, and undone if need be."""

"""Proving what was published: read back, loaded and run in fresh processes."""

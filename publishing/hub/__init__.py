"""Talking to a Hub: the connection, what stands there, sending, trying again."""

"""Talking to a Hub: the connection, what is there, sending, trying again."""

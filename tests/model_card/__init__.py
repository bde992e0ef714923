"""Tests of the card: its text, its metadata, its linter, its snippets and its figures."""

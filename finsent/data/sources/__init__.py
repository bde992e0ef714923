"""Data sources, one file a kind.

A new kind is its section in `finsent/recipe/data.py`, a file here that yields rows, and a row in READERS of
`read.py`.
"""

"""Data sources: one file a kind of source, one file a format of tables.

A new format is a reader here and a row in FORMATS of `formats.py`. A new kind is its section in
`finsent/recipe/data.py`, a file here that yields rows, and a row in READERS of `read.py`.
"""

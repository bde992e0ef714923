"""Classifying files of millions of rows: read as a stream, written in parts, gone on with after a kill."""

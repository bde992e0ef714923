"""Suites over a released model: what it should answer alike, apart, and without hesitation.

They are reported as rates, not as pass or fail. `python -m tests.behaviour RELEASE` runs them.
"""

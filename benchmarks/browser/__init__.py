"""Chromium and what a page loads in it, in environments of their own."""

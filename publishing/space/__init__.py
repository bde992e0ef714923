"""The demo's Space: its files, and pushing it."""

"""Speed and size beside what a user would pick instead."""

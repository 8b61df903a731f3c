"""Diagnostics: what state a game is in, found by experiments on copies of its players."""

"""Diagnostics: the state of a game, found by experiments on copies of its players."""

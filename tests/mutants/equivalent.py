"""Mutants that no test can catch, by their names, each with the reason."""

EQUIVALENT: dict[str, str] = {}

"""Mutants that no test can catch, by their names, each with the reason."""

EQUIVALENT: dict[str, str] = {
    "metrics/features/inception.py _Network.forward: 64 -> (65)": "a tap is 64, 192, 768 or 2,048",
}

"""What is typed on the page."""

from zerosum.errors import InputError

MOST_DIGITS = 40
MOST_BYTES = 65_536  # of a question or a command


def read_seed(text: str) -> int:
    """Read a seed, a string of digits, as JavaScript's numbers are exact only up to 2^53.

    Raises:
        InputError: it is no whole number, or too long.
    """
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise InputError(f"the seed must be a whole number of at most {MOST_DIGITS} digits, but it was {text[:50]!r}")
    return int(text)

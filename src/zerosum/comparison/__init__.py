"""Compare runs of several recipes over their seeds: which may be compared, what differs, and is it more than chance."""

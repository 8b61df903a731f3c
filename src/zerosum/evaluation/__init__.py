"""Score any images, whoever made them: what `zerosum evaluate` does, and `Scorer` in somebody else's training loop."""

"""The game: Algorithm 1, its players and losses, and how an update is executed."""

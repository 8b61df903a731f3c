"""A run: what happens around the game, from data and a recipe to a finished folder."""

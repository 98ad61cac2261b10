"""Prices from outside: sources, the index over them, and the mark of a perpetual."""

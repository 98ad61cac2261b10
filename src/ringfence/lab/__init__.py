"""The stress lab: markets, populations and comparisons to run the engine against."""

"""The exact state machine of one pool: integers, no clock, no chance, no files, no floats."""

"""Measured speed: every figure beside a baseline or a bound taken in the same run."""

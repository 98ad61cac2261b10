"""Ringfence: an isolated-margin clearing and risk engine for crypto derivatives."""

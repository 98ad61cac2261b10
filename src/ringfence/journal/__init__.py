"""The journal: a hash-chained list of entries on disk, and an anchor that vouches for its end.

It knows nothing of pools and commands; bodies are opaque bytes.
"""

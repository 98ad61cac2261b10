"""The published rules of other venues and protocols, to compare Ringfence's own rules with.

Each module is one system or one subject. A function is one rule, in the arithmetic of
its source: whole numbers where the source is a contract, floats where it is a document.
"""

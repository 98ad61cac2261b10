# noqa: INP001 - Sphinx reads this file by its path
"""How Sphinx builds the documentation: `make docs`."""

project = "Ringfence"
author = "The Ringfence authors"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "Ringfence"
exclude_patterns = ["_build"]
nitpicky = True
myst_heading_anchors = 3

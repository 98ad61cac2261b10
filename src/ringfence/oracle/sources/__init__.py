"""Where prices come from: files, scripts and, by the same shape, live feeds."""

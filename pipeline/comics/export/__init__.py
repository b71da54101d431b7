"""Books: one module per format, all from lettered pages and their rendered PNGs."""

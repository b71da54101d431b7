"""The desk work of the registry: suggestions, marks, splits, records and packages."""

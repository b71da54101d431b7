"""Encoders: from crops of figures to unit vectors."""

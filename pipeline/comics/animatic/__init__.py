"""Animatics: a page read aloud by a camera that never cuts a face or a balloon."""

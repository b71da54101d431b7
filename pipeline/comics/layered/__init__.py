"""Pages in layers: out to a painting program, and back as changes."""

"""What is remembered: one SQLite file, encrypted picture blobs, and the keys that open them."""

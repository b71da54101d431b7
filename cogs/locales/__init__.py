"""The catalogues of translated words, and how they are gathered from the code."""

"""Training of our own models; torch is imported only when something is trained."""

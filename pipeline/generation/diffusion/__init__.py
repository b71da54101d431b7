"""Diffusion models in this process: families, loading, conditioning, memory."""

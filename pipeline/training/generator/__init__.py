"""The house generator: a small latent diffusion model of drawn characters, from data to files."""

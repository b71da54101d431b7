"""Fingerprints of pictures: perceptual hashes and encoders."""

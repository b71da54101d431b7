"""The craft: pure and synchronous, images in, decisions out."""

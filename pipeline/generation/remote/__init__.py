"""Engines that run in a server of the host's: address, HTTP, pictures and words for them."""

"""Retrieval: which references serve a panel best."""

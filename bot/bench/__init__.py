"""Measurements that the documentation quotes: each compares with a named peer in the same run."""

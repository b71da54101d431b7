"""AUTOMATIC1111's web UI: what it can do, its requests, and the talk with it."""

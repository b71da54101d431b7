"""Content safety: how likely a picture is not for everyone."""

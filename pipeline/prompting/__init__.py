"""Words for the engine, built from the request and the registry."""

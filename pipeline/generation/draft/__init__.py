"""The parts of the draft engine: cut-outs, staging, backgrounds, tone."""

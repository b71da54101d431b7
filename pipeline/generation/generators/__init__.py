"""The engines: each turns a plan into candidates."""

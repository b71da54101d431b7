"""Guide pictures, made without any model: lines of a sketch, skeletons, layered depth."""

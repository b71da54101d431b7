"""Comics: scripts, page layout, lettering, rendering and books."""

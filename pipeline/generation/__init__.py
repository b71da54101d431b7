"""From a brief to a plan, from a plan to pictures, and up the ladder when they fall short."""

"""ComfyUI: workflows with slots, what a server must have for them, and the talk with it."""

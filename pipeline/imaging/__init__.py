"""Pictures: the door for bytes from outside, figures and crops, colour."""

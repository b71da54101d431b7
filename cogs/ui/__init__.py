"""What people see on Discord: cards, buttons and error texts in one visual language."""

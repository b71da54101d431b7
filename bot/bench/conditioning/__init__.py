"""``onmodel bench conditioning``: what each way to hold a character is worth, on given weights."""

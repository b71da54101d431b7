"""Use cases: one class a room, one method a thing that a person does."""

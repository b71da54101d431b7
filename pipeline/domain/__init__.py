"""The words that everyone speaks: frozen dataclasses and enums, stdlib and numpy only."""

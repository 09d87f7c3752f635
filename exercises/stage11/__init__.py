"""Stage 11: your list."""

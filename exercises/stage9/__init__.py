"""Stage 9: serve files."""

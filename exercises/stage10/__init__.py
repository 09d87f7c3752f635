"""Stage 10: keep the connection."""

"""Stage 7: the wire is cut."""

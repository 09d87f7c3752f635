"""Stage 4: a protocol without a network."""

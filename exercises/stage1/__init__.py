"""Stage 1: a request is bytes."""

"""Stage 2: a response is bytes."""

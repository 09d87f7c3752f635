"""Stage 8: how to disconnect, really."""

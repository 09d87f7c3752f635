"""Stage 3: any chunks."""

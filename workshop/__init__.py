"""The guide to the workshop: one command for everybody, ``python -m workshop``."""

"""The tests of toyhttp: its own, and those of every stage."""

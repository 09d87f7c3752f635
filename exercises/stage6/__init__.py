"""Stage 6: two hours in a millisecond."""

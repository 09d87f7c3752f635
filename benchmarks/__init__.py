"""What was measured: each module is a benchmark, and says how it is run."""

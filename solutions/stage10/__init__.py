"""The solution of stage 10: keep the connection."""

from solutions import stage10_step2

__path__.extend(stage10_step2.__path__)  # what this stage does not change

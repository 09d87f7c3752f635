"""The solution of stage 10: keep the connection."""

from solutions import stage9

__path__.extend(stage9.__path__)  # what this stage does not change

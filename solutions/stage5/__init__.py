"""The solution of stage 5: not yet."""

from solutions import stage4

__path__.extend(stage4.__path__)  # what this stage does not change

"""The solution of stage 8: how to disconnect, really."""

from solutions import stage7

__path__.extend(stage7.__path__)  # what this stage does not change

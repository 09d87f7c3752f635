"""The solution of stage 7: the wire is cut."""

from solutions import stage6

__path__.extend(stage6.__path__)  # what this stage does not change

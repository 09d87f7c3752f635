"""The solution of stage 6: two hours in a millisecond."""

from solutions import stage5

__path__.extend(stage5.__path__)  # what this stage does not change

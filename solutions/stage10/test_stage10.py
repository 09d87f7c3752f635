"""The tests of stage 10, run against the solution through which this module is imported."""

from exercises.binding import tests_of

globals().update(tests_of(stage=10, server=__package__, module=__name__))

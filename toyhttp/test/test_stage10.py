"""The tests of stage 10, run against ``toyhttp``."""

from exercises.binding import tests_of

globals().update(tests_of(stage=10, server="toyhttp", module=__name__))

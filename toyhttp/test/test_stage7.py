"""The tests of stage 7, run against ``toyhttp``."""

from exercises.binding import tests_of

globals().update(tests_of(stage=7, server="toyhttp", module=__name__))

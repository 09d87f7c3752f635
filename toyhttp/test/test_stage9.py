"""The tests of stage 9, run against ``toyhttp``."""

from exercises.binding import tests_of

globals().update(tests_of(stage=9, server="toyhttp", module=__name__))

"""The tests of stage 11, run against ``toyhttp``."""

from exercises.binding import tests_of

globals().update(tests_of(stage=11, server="toyhttp", module=__name__))

"""The tests of stage 4, run against ``toyhttp``."""

from exercises.binding import tests_of

globals().update(tests_of(stage=4, server="toyhttp", module=__name__))

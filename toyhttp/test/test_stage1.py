"""The tests of stage 1, run against ``toyhttp``."""

from exercises.binding import tests_of

globals().update(tests_of(stage=1, server="toyhttp", module=__name__))

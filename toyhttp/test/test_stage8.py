"""The tests of stage 8, run against ``toyhttp``."""

from exercises.binding import tests_of

globals().update(tests_of(stage=8, server="toyhttp", module=__name__))

"""The tests of stage 6, run against ``toyhttp``."""

from exercises.binding import tests_of

globals().update(tests_of(stage=6, server="toyhttp", module=__name__))

"""The tests of stage 3, run against ``toyhttp``."""

from exercises.binding import tests_of

globals().update(tests_of(stage=3, server="toyhttp", module=__name__))
